//! The blocks of code in a page of Markdown.

/// What a reader is told of a block that the check does not run.
const NOT_RUN: &str = "*This example is not tested: ";

/// A block between fences.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Number of the line of its first fence, from 1.
    pub(super) line: usize,
    /// First word of the info string.
    pub(super) language: String,
    /// The rest of the info string.
    pub(super) words: Vec<String>,
    /// Its lines, without the indentation of its fence.
    pub(super) text: String,
    /// Why it is not run, if it says so.
    pub(super) not_run: Option<String>,
    /// Whether nothing stands between it and the block before it.
    pub(super) follows: bool,
}

impl Block {
    /// Whether the info string has this word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }

    /// The value of `NAME=VALUE` in the info string, without quotes.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let beginning = format!("{name}=");
        let found = self.words.iter().find_map(|word| word.strip_prefix(&beginning))?;
        Some(found.trim_matches('"'))
    }
}

/// All blocks of a page.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().zip(1..);
    let (mut not_run, mut follows) = (None, false);
    while let Some((line, number)) = lines.next() {
        let trimmed = line.trim_start();
        let Some(info) = trimmed.strip_prefix("```") else {
            if !trimmed.is_empty() {
                follows = false;
                not_run = trimmed
                    .strip_prefix(NOT_RUN)
                    .and_then(|rest| rest.trim_end().strip_suffix(".*"))
                    .map(str::to_owned);
            }
            continue;
        };
        let indentation = line.len() - trimmed.len();
        let mut words = words(info).into_iter();
        let mut block = Block { line: number, not_run: not_run.take(), ..Block::default() };
        (block.language, block.follows) = (words.next().unwrap_or_default(), follows);
        block.words = words.collect();
        for (line, _) in
            lines.by_ref().take_while(|(line, _)| !line.trim_start().starts_with("```"))
        {
            block.text += line.get(indentation..).unwrap_or_default();
            block.text.push('\n');
        }
        blocks.push(block);
        follows = true;
    }
    blocks
}

/// The words of an info string; spaces in quotes belong to a word.
fn words(info: &str) -> Vec<String> {
    let mut is_quoted = false;
    let is_end = |letter: char| {
        is_quoted ^= letter == '"';
        letter == ' ' && !is_quoted
    };
    info.split(is_end).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_what_they_say_of_themselves() {
        let page = "Text\n\n1. Do\n\n   ```sh server interrupt=\"at its end\"\n   a\n     b\n   ```\n\n\
                    ```json\n{}\n```\n\n*This example is not tested: needs a tenant.*\n\n```toml\nx\n```\n";
        let found = blocks(page);
        let [first, second, third] = &found[..] else { panic!("{found:?}") };
        assert_eq!(
            (first.line, first.language.as_str(), first.text.as_str()),
            (5, "sh", "a\n  b\n")
        );
        assert!(first.has("server") && !first.has("paste") && !first.follows);
        assert_eq!(first.value("interrupt"), Some("at its end"));
        assert!(second.follows && second.not_run.is_none());
        assert_eq!(third.not_run.as_deref(), Some("needs a tenant"));
    }
}
