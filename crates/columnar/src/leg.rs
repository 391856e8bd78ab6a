//! The ends of streams: each stream of a block has two, and so gives two rows.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::column::{Column, NULL, Numbers, Texts};

/// An end of a stream. The caller's comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The caller's.
    Caller,
    /// The callee's.
    Callee,
}

impl End {
    /// Both, in the order of rows.
    pub const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// Columns with the id of who is at an end, of which the first that is not null counts.
pub(crate) const IDS: [[&str; 3]; 2] = [
    ["caller_person_id", "caller_user_id", "caller_associated_id"],
    ["callee_person_id", "callee_user_id", "callee_associated_id"],
];

/// The member `end`.
pub(crate) fn name(end: End, rows: usize) -> Column {
    let name = ["caller", "callee"][end as usize];
    Column::Text(Texts { codes: vec![0; rows], texts: vec![name.into()] })
}

/// The member `direction`, by the direction of streams.
pub(crate) fn direction(of_stream: &Column, end: End) -> Column {
    let Column::Text(of_stream) = of_stream else { return Column::Nothing };
    let direction = |text: &str| match text {
        "callerToCallee" => Some(end as u32),
        "calleeToCaller" => Some(end.other() as u32),
        _ => None,
    };
    let codes: Vec<u32> =
        of_stream.texts.iter().map(|text| direction(text).unwrap_or(NULL)).collect();
    let code = |code: &u32| codes.get(*code as usize).copied().unwrap_or(NULL);
    let texts = ["sender", "receiver"].map(Box::from).into();
    Column::Text(Texts { codes: of_stream.codes.iter().map(code).collect(), texts })
}

/// The member `isFirst`, by which end is the first one.
pub(crate) fn is_first(first_end: &Column, end: End, rows: usize) -> Column {
    let is_first = |row| i64::from(first_end.int(row) == Some(end as i64));
    Column::Int(Numbers::new((0..rows).map(is_first).collect(), None))
}

/// The first text that is not null.
pub(crate) fn first_text(columns: &[Arc<Column>], rows: usize) -> Column {
    let columns: Vec<&Texts> = columns
        .iter()
        .filter_map(|column| match &**column {
            Column::Text(texts) => Some(texts),
            _ => None,
        })
        .collect();
    let (mut texts, mut known): (Vec<Box<str>>, HashMap<&str, u32, FixedState>) =
        (Vec::new(), HashMap::default());
    let mut codes = vec![NULL; rows];
    for column in columns {
        let mut code = |text| {
            *known.entry(text).or_insert_with(|| {
                texts.push(Box::from(text));
                (texts.len() - 1) as u32
            })
        };
        let own: Vec<u32> = column.texts.iter().map(|text| code(text)).collect();
        for (code, its) in codes.iter_mut().zip(&column.codes) {
            if *code == NULL {
                *code = own.get(*its as usize).copied().unwrap_or(NULL);
            }
        }
    }
    if texts.is_empty() { Column::Nothing } else { Column::Text(Texts { codes, texts }) }
}
