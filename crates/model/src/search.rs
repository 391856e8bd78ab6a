//! What `$search` looks at, and what it finds.
//!
//! A search looks at the properties that the schema marks: names, ids, telephone numbers, devices,
//! networks, user agents, of an item and of everything inside it. It is answered twice: by an index
//! over the words of whole records, which finds candidates, and here by [`Query::matches`], which
//! decides. Words are made by our own rules for both, so that they mean the same everywhere.

mod collect;
mod finder;
mod query;
mod words;

pub use collect::Collector;
pub use finder::Finder;
pub use query::{Candidates, Query};

/// The words of a text in its order, as searches compare them, and the text as one word, where that
/// says more.
pub fn tokens(text: &str) -> (Vec<String>, Option<String>) {
    let words = words::Words::of(text);
    (words.sequence.into_iter().map(|word| word.text).collect(), words.whole)
}
