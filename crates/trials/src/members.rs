//! Members of the product's own compact JSON, found by their names. No parser: it takes the first of
//! the name, and knows no escapes, which is enough for ids, counts and secrets.

/// The string behind `"name":"`.
pub(crate) fn text<'l>(json: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}

/// The whole number behind `"name":`.
pub(crate) fn number(json: &str, name: &str) -> Option<u64> {
    let (_, rest) = json.split_once(&format!("\"{name}\":"))?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_name() {
        let line = r#"{"line":3,"id":"a-b","version":12}"#;
        assert_eq!((text(line, "id"), number(line, "version")), (Some("a-b"), Some(12)));
        assert_eq!((text(line, "name"), number(line, "id")), (None, None));
    }
}
