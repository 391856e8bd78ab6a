//! Where the engines' SQL differs.

/// The wording of one engine.
pub(crate) trait Dialect {
    /// Writes the placeholder of the `number`-th bind, counted from 1.
    fn placeholder(&self, number: usize, out: &mut String);

    /// Writes that a boolean column is true.
    fn is_true(&self, column: &'static str, out: &mut String);

    /// An inner join whose left side is to be read first.
    fn ordered_join(&self) -> &'static str {
        "JOIN"
    }
}
