//! Where a page ended, as bytes for the next one to begin behind.

use crate::Error;
use crate::sql::Bind;

/// Says which layout the bytes have.
const LAYOUT: u8 = 1;

/// Behind which row a page begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Position {
    /// Rows given so far, which `$top` bounds.
    pub(crate) given: u64,
    /// Rows that `$skip` has left out so far.
    pub(crate) skipped: u64,
    /// The row's values of the order's terms; `None` for null.
    pub(crate) values: Vec<Option<Bind>>,
}

impl Position {
    /// Whether it is a place in an order that only our own evaluator knew: of none that SQL knows are the
    /// first value bytes.
    pub(crate) fn is_ranked(&self) -> bool {
        matches!(self.values.first(), Some(Some(Bind::Bytes(_))))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        out.extend_from_slice(&self.given.to_le_bytes());
        out.extend_from_slice(&self.skipped.to_le_bytes());
        for value in &self.values {
            match value {
                None => out.push(0),
                Some(Bind::Int(number)) => {
                    out.push(1);
                    out.extend_from_slice(&number.to_le_bytes());
                }
                Some(Bind::Real(number)) => {
                    out.push(2);
                    out.extend_from_slice(&number.to_bits().to_le_bytes());
                }
                Some(Bind::Text(text)) => push_bytes(&mut out, 3, text.as_bytes()),
                Some(Bind::Bytes(bytes)) => push_bytes(&mut out, 4, bytes),
            }
        }
        out
    }

    /// Reads what [`Self::write`] has written; anything else is [`Error::Position`].
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse(bytes).ok_or(Error::Position)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[LAYOUT])?;
        let (given, rest) = rest.split_first_chunk()?;
        let (skipped, mut rest) = rest.split_first_chunk()?;
        let mut values = Vec::new();
        while let Some((kind, behind)) = rest.split_first() {
            let (value, behind) = match kind {
                0 => (None, behind),
                1 => {
                    let (number, behind) = behind.split_first_chunk()?;
                    (Some(Bind::Int(i64::from_le_bytes(*number))), behind)
                }
                2 => {
                    let (bits, behind) = behind.split_first_chunk()?;
                    (Some(Bind::Real(f64::from_bits(u64::from_le_bytes(*bits)))), behind)
                }
                3 => {
                    let (text, behind) = split_bytes(behind)?;
                    (Some(Bind::Text(String::from_utf8(text.to_vec()).ok()?)), behind)
                }
                4 => {
                    let (text, behind) = split_bytes(behind)?;
                    (Some(Bind::Bytes(text.to_vec())), behind)
                }
                _ => return None,
            };
            values.push(value);
            rest = behind;
        }
        let given = u64::from_le_bytes(*given);
        Some(Self { given, skipped: u64::from_le_bytes(*skipped), values })
    }
}

fn push_bytes(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn split_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_never_from_a_part_of_it() {
        let position = Position {
            given: 60,
            skipped: 5,
            values: vec![
                None,
                Some(Bind::Int(i64::MIN)),
                Some(Bind::Real(f64::NEG_INFINITY)),
                Some(Bind::Text("é\0".to_owned())),
                Some(Bind::Bytes(vec![0, 255])),
            ],
        };
        let bytes = position.write();
        assert_eq!(Position::read(&bytes).unwrap(), position);
        for cut in 0..bytes.len() {
            let read = Position::read(&bytes[..cut]);
            assert!(read.is_err() || read.unwrap().values.len() < 5, "{cut}");
        }
        assert!(Position::read(&[9; 40]).is_err());
    }
}
