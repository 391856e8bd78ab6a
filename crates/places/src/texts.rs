//! Texts of which each is kept once.

use std::collections::HashMap;

/// A text of a [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TextId(u32);

/// Texts by their numbers; the number 0 is no text.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<Box<str>>);

/// Makes texts.
#[derive(Debug, Default)]
pub(crate) struct TextsBuilder(HashMap<Box<str>, u32>);

impl Texts {
    pub(crate) fn get(&self, id: TextId) -> Option<&str> {
        let place = (id.0 as usize).checked_sub(1)?;
        self.0.get(place).map(AsRef::as_ref)
    }
}

impl TextsBuilder {
    /// The number of a text; an empty one is none.
    pub(crate) fn add(&mut self, text: &str) -> TextId {
        if text.is_empty() {
            return TextId::default();
        }
        if let Some(id) = self.0.get(text) {
            return TextId(*id);
        }
        let id = self.0.len() as u32 + 1;
        self.0.insert(text.into(), id);
        TextId(id)
    }

    pub(crate) fn build(self) -> Texts {
        let mut pairs: Vec<(Box<str>, u32)> = self.0.into_iter().collect();
        pairs.sort_unstable_by_key(|(_, id)| *id);
        Texts(pairs.into_iter().map(|(text, _)| text).collect())
    }
}
