//! Why the parser differs from the grammar, where it does on purpose.

/// Texts that differ: what stands in them, whether the grammar takes them, and why we don't agree.
/// The first row that fits counts.
const REASONS: &[(&str, bool, &str)] = &[
    ("$at=", true, "no history is kept, and an option with a dollar that is not known is refused"),
    (
        "$from=",
        true,
        "no history is kept, and an option with a dollar that is not known is refused",
    ),
    ("$id=", true, "'$id' is for changing relations, which a service that only reads doesn't have"),
    ("$format=", true, "an option may stand only once, as URL Conventions 5 asks"),
    ("%3B", true, "percent-encoding is undone before nested options are taken apart"),
    ("/$value", false, "whether a value has a raw form is known only with a model"),
    ("Categories/", false, "whether a name is a key or a function is known only with a model"),
    (
        "BestSellingProduct/Model.",
        false,
        "whether a type has derived ones is known only with a model",
    ),
    ("Model.Available", false, "whether a name is a type or a function is known only with a model"),
    ("$search=AND", true, "'AND', 'OR' and 'NOT' are no words: one without operands is a mistake"),
    ("$search=OR", true, "'AND', 'OR' and 'NOT' are no words: one without operands is a mistake"),
    ("$search=NOT", true, "'AND', 'OR' and 'NOT' are no words: one without operands is a mistake"),
    ("= true", false, "white space around a value is taken leniently"),
    ("#1", false, "clients don't send what stands behind '#'; a '#' that came is text"),
    ("=Not&this", false, "what stands behind '&' is an option that is not ours and is ignored"),
    ("=more&more", false, "what stands behind '&' is an option that is not ours and is ignored"),
    ("=a;b", false, "outside of parentheses a semicolon separates nothing"),
    ("aggregate(Sales/", false, "whether a path leads through a collection takes a model"),
    ("groupby((Sales/", false, "whether a path leads through a collection takes a model"),
    ("groupby((Product/", false, "of which type a group key is, is known only with a model"),
    ("groupby((Country/@", false, "of which type a group key is, is known only with a model"),
    (" from ", false, "'from' is read leniently, since the binder doesn't answer it"),
    ("aggregate(Amount", false, "whether a name is a custom aggregate is known only with a model"),
    ("addnested(", false, "a transformation that isn't answered is read over, not into"),
    ("ancestors(", false, "a transformation that isn't answered is read over, not into"),
    ("join(", false, "whether a path leads to a collection is known only with a model"),
    ("aggregate(Sales(", false, "figures of related items aren't answered, and are read over"),
];

/// The reason for a difference, if there is one.
pub(super) fn of(input: &str, is_right: bool) -> Option<&'static str> {
    let fits = |row: &&(&str, bool, &str)| row.1 == is_right && input.contains(row.0);
    REASONS.iter().find(fits).map(|(_, _, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_counts_only_for_the_side_that_it_explains() {
        assert!(of("Things?$at=2025-05-01", true).is_some());
        assert!(of("Things?$at=2025-05-01", false).is_none());
        assert!(of("$filter=true", true).is_none());
    }
}
