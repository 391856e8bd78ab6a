//! Rust source text as tokens, without comments, literals and what is compiled for tests alone: as much
//! of the grammar as the rules for imports and for lengths of functions need.

/// A word, `::`, or one other character, with the line that it stands on, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'t> {
    pub(crate) text: &'t str,
    pub(crate) line: usize,
}

/// The tokens of a file, without items under `#[cfg(test)]`.
pub(crate) fn product_tokens(text: &str) -> Vec<Token<'_>> {
    let all = tokens(text);
    let mut product = Vec::with_capacity(all.len());
    let mut at = 0;
    while at < all.len() {
        if let Some(after) = after_test_attribute(&all[at..]) {
            at += after;
            at += item_length(&all[at..]);
        } else {
            product.push(all[at]);
            at += 1;
        }
    }
    product
}

/// How many tokens `#[cfg(test)]` has, if these begin with it.
fn after_test_attribute(tokens: &[Token<'_>]) -> Option<usize> {
    const ATTRIBUTE: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let begins = tokens.iter().map(|token| token.text).take(ATTRIBUTE.len()).eq(ATTRIBUTE);
    begins.then_some(ATTRIBUTE.len())
}

/// How many tokens the item has that these begin with: up to its `;`, or to the brace that closes it.
fn item_length(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// All tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let length = skipped(rest).unwrap_or_else(|| {
            let length = token_length(rest);
            tokens.push(Token { text: &rest[..length], line });
            length
        });
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

/// The length of the word, the `::` or the character that a text begins with.
fn token_length(rest: &str) -> usize {
    let word = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
    match word {
        0 if rest.starts_with("::") => 2,
        0 => rest.chars().next().map_or(1, char::len_utf8),
        word => word,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The length of the white space, comment or literal that a text begins with.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    raw_string(rest).or_else(|| quoted(rest)).or_else(|| character(rest))
}

/// The length of `r"…"`, `r#"…"#` and their forms for bytes and C.
fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].iter().find(|prefix| rest.starts_with(**prefix))?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + length)
}

/// The length of `"…"`, and of its forms for bytes and C.
fn quoted(rest: &str) -> Option<usize> {
    let prefix = ["\"", "b\"", "c\""].iter().find(|prefix| rest.starts_with(**prefix))?;
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(prefix.len()) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The length of `'x'` or `'\…'`; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'').or_else(|| rest.strip_prefix("b'"))?;
    let opening = rest.len() - body.len();
    if let Some(escape) = body.strip_prefix('\\') {
        // The letter after the backslash may be a quote.
        let letter = escape.chars().next()?.len_utf8();
        return Some(opening + 1 + letter + escape[letter..].find('\'')? + 1);
    }
    let letter = body.chars().next()?.len_utf8();
    body[letter..].starts_with('\'').then_some(opening + letter + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        product_tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_left_out() {
        let text = "a /* b */ \"c\\\"d\" r#\"e\"f\"# 'g' '\\'' b'\\n' h::i // j\n<'k>";
        assert_eq!(texts(text), ["a", "h", "::", "i", "<", "'", "k", ">"]);
    }

    #[test]
    fn lines_are_counted_through_literals() {
        assert_eq!(tokens("\"a\nb\"\nc")[0], Token { text: "c", line: 3 });
    }

    #[test]
    fn items_for_tests_are_left_out() {
        assert_eq!(texts("#[cfg(test)] mod a { fn b() {} } c"), ["c"]);
        assert_eq!(
            texts("#[cfg(test)] mod a; #[cfg(unix)] b"),
            ["#", "[", "cfg", "(", "unix", ")", "]", "b"]
        );
    }
}
