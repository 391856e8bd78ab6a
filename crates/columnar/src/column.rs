//! A column of a block in memory.

/// The code of null.
pub(crate) const NULL: u32 = u32::MAX;

/// The values of one column, in the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Null in every row.
    Nothing,
    /// Whole numbers, booleans (0, 1), instants and durations (ticks of 100 ns).
    Int(Numbers<i64>),
    /// Floating point numbers.
    Real(Numbers<f64>),
    /// Texts.
    Text(Texts),
}

/// Numbers and nulls.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers<T> {
    values: Vec<T>,
    /// Of each row; none if no value is null.
    is_null: Option<Vec<bool>>,
}

/// Texts and nulls: of each row the place of its text among the different ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts {
    pub(crate) codes: Vec<u32>,
    pub(crate) texts: Vec<Box<str>>,
}

impl<T: Copy> Numbers<T> {
    pub(crate) fn new(values: Vec<T>, is_null: Option<Vec<bool>>) -> Self {
        Self { values, is_null }
    }

    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<T> {
        match &self.is_null {
            Some(is_null) if is_null[row] => None,
            _ => Some(self.values[row]),
        }
    }
}

impl Texts {
    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.texts.get(self.codes[row] as usize).map(|text| &**text)
    }
}

impl Column {
    /// The whole number of a row.
    #[inline]
    pub fn int(&self, row: usize) -> Option<i64> {
        match self {
            Self::Int(numbers) => numbers.get(row),
            _ => None,
        }
    }

    /// Bytes in memory, roughly.
    pub fn size(&self) -> usize {
        let nulls = |is_null: &Option<Vec<bool>>| is_null.as_ref().map_or(0, Vec::len);
        match self {
            Self::Nothing => 0,
            Self::Int(numbers) => size_of_val(&*numbers.values) + nulls(&numbers.is_null),
            Self::Real(numbers) => size_of_val(&*numbers.values) + nulls(&numbers.is_null),
            Self::Text(Texts { codes, texts }) => {
                let texts: usize = texts.iter().map(|text| text.len() + size_of_val(text)).sum();
                size_of_val(&**codes) + texts
            }
        }
    }

    /// Whether two rows have the same value.
    pub(crate) fn is_same(&self, one: usize, other: usize) -> bool {
        match self {
            Self::Nothing => true,
            Self::Int(numbers) => numbers.get(one) == numbers.get(other),
            Self::Real(numbers) => {
                numbers.get(one).map(f64::to_bits) == numbers.get(other).map(f64::to_bits)
            }
            Self::Text(texts) => texts.codes[one] == texts.codes[other],
        }
    }

    /// The column with null in place of what stands where `flag` is not 1.
    pub(crate) fn only_if(&self, flag: &Self, rows: usize) -> Self {
        let is_out = |row: usize| flag.int(row) != Some(1);
        match self {
            Self::Nothing => Self::Nothing,
            Self::Int(numbers) => Self::Int(numbers.without(is_out, rows)),
            Self::Real(numbers) => Self::Real(numbers.without(is_out, rows)),
            Self::Text(Texts { codes, texts }) => {
                let code = |(row, code): (usize, &u32)| if is_out(row) { NULL } else { *code };
                let codes = codes.iter().enumerate().map(code).collect();
                Self::Text(Texts { codes, texts: texts.clone() })
            }
        }
    }
}

impl<T: Copy> Numbers<T> {
    fn without(&self, is_out: impl Fn(usize) -> bool, rows: usize) -> Self {
        let is_null = (0..rows).map(|row| is_out(row) || self.get(row).is_none()).collect();
        Self { values: self.values.clone(), is_null: Some(is_null) }
    }
}
