//! Numbers, shares and strangers' text as pages show them.

use std::borrow::Cow;

use maud::{Markup, html};

/// Letters of a stranger's text that are shown.
const LONGEST: usize = 200;

/// A number with a thin space between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A share in percent with one decimal; a dash where there is nothing to share.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1}\u{202f}%", part as f64 * 100.0 / whole as f64)
}

/// Seconds as hours, minutes and seconds.
pub fn length(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Text that came from strangers: control characters and those that turn the direction of text show as
/// U+FFFD, and what is long is cut.
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(
                letter,
                '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            )
    };
    if text.len() <= LONGEST && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|letter| if is_hidden(letter) { '\u{fffd}' } else { letter })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// A verdict as colour, shape and word.
pub fn verdict(name: &str) -> Markup {
    let mark = match name {
        "good" => "●",
        "poor" => "▲",
        "unclassified" => "○",
        _ => "–",
    };
    let word = if name == "notApplicable" { "not applicable" } else { name };
    html! { span class=(name) { (mark) } " " (word) }
}

/// The title of a column, by what stands below it: numbers stand at the right.
#[derive(Debug, Clone, Copy)]
pub enum Column<'t> {
    /// Text below.
    Text(&'t str),
    /// Numbers below.
    Number(&'t str),
}

/// The head of a table.
pub fn head(columns: &[Column<'_>]) -> Markup {
    html! {
        thead {
            tr {
                @for column in columns {
                    @match column {
                        Column::Text(title) => th scope="col" { (title) },
                        Column::Number(title) => th scope="col" class="number" { (title) },
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_have_one_decimal() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(percent(412, 19_602), "2.1\u{202f}%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(length(59), "0:59");
        assert_eq!(length(3_725), "1:02:05");
    }

    #[test]
    fn what_turns_text_around_or_hides_is_shown_as_a_mark() {
        assert_eq!(visible("Anna \u{202e}gnp.exe\0"), "Anna \u{fffd}gnp.exe\u{fffd}");
        assert_eq!(visible("Zoë 李"), "Zoë 李");
        let long = "x".repeat(10_000);
        assert_eq!(visible(&long).chars().count(), LONGEST + 1);
    }
}
