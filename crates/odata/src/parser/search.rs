//! `$search`, which has words where other options have names and values (URL Conventions 5.1.8).

use super::Parser;
use crate::bound::Search;
use crate::error::Error;
use crate::lexer::SPACE;

impl Parser<'_> {
    /// Reads the search that begins at byte `at`.
    pub(super) fn search(&mut self, at: usize) -> Result<Search, Error> {
        let mut words = Words { at, parser: self };
        let search = words.either()?;
        let end = words.skip_space();
        let rest = &self.lexer.text()[end..];
        if !rest.is_empty() && (self.nesting == 0 || !rest.starts_with([')', ';'])) {
            return Err(self.lexer.expected("end of the search", end));
        }
        self.resume(end)?;
        Ok(search)
    }
}

struct Words<'p, 'a> {
    at: usize,
    parser: &'p mut Parser<'a>,
}

impl<'a> Words<'_, 'a> {
    fn rest(&self) -> &'a str {
        &self.parser.lexer.text()[self.at..]
    }

    fn skip_space(&mut self) -> usize {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(SPACE).len();
        self.at
    }

    /// Whether an operand may stand here.
    fn is_operand(&mut self) -> bool {
        self.skip_space();
        match self.rest().chars().next() {
            None | Some(')') => false,
            Some(';') => self.parser.nesting == 0,
            Some(_) => true,
        }
    }

    /// Bytes of the word that stands here.
    fn word_length(&self) -> usize {
        let is_nested = self.parser.nesting > 0;
        let rest = self.rest();
        let is_end =
            |c: char| SPACE.contains(&c) || matches!(c, '(' | ')' | '"') || (is_nested && c == ';');
        rest.find(is_end).unwrap_or(rest.len())
    }

    /// Moves behind the keyword, if it stands here.
    fn eat(&mut self, keyword: &str) -> bool {
        self.skip_space();
        let found = self.rest()[..self.word_length()] == *keyword;
        self.at += if found { keyword.len() } else { 0 };
        found
    }

    fn either(&mut self) -> Result<Search, Error> {
        let mut left = self.both()?;
        while self.eat("OR") {
            left = Search::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Search, Error> {
        let mut left = self.negated()?;
        loop {
            let before = self.at;
            if self.eat("OR") {
                self.at = before;
                return Ok(left);
            }
            if !self.eat("AND") && !self.is_operand() {
                return Ok(left);
            }
            left = Search::And(Box::new(left), Box::new(self.negated()?));
        }
    }

    fn negated(&mut self) -> Result<Search, Error> {
        if self.eat("NOT") {
            return Ok(Search::Not(Box::new(self.deeper(Self::negated)?)));
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<Search, Error> {
        if !self.is_operand() {
            return Err(self.parser.lexer.expected("word or phrase to search for", self.at));
        }
        self.parser.count_node()?;
        self.parser.used.words += 1;
        if self.parser.used.words > self.parser.limits.search_words {
            let limit = self.parser.limits.search_words;
            return Err(self.parser.too_much("words to search for", limit));
        }
        match self.rest().as_bytes()[0] {
            b'(' => {
                self.at += 1;
                let inner = self.deeper(Self::either)?;
                self.skip_space();
                if !self.rest().starts_with(')') {
                    return Err(self.parser.lexer.expected("')'", self.at));
                }
                self.at += 1;
                Ok(inner)
            }
            b'"' => self.phrase(),
            b'\'' => self.quoted(),
            _ => self.word(),
        }
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Search, Error>,
    ) -> Result<Search, Error> {
        self.parser.used.depth += 1;
        if self.parser.used.depth > self.parser.limits.depth {
            return Err(self.parser.too_much("levels of nesting", self.parser.limits.depth));
        }
        let out = read(self)?;
        self.parser.used.depth -= 1;
        Ok(out)
    }

    /// Words in double quotes, `\"` and `\\` inside standing for one character.
    fn phrase(&mut self) -> Result<Search, Error> {
        let mut phrase = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    let behind = &self.rest()[offset + 1..];
                    let is_apart = behind.starts_with(SPACE) || behind.starts_with([')', ';']);
                    if !behind.is_empty() && !is_apart {
                        let place = self.at + offset + 1;
                        return Err(self.parser.lexer.expected("space behind the phrase", place));
                    }
                    self.at += offset + 1;
                    return Ok(Search::Phrase(phrase));
                }
                '\\' => phrase.extend(chars.next().map(|(_, escaped)| escaped)),
                other => phrase.push(other),
            }
        }
        Err(self.parser.lexer.expected("phrase that ends with '\"'", self.at))
    }

    /// Text in single quotes, a doubled one inside standing for one.
    fn quoted(&mut self) -> Result<Search, Error> {
        let mut phrase = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = chars.next() {
            if c != '\'' {
                phrase.push(c);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                phrase.push('\'');
            } else {
                self.at += offset + 1;
                return Ok(Search::Phrase(phrase));
            }
        }
        Err(self.parser.lexer.expected("text that ends with a quote", self.at))
    }

    fn word(&mut self) -> Result<Search, Error> {
        let word = &self.rest()[..self.word_length()];
        // ABNF `searchWord`: the operators are no words.
        if word.is_empty() || ["AND", "OR", "NOT"].contains(&word) {
            return Err(self.parser.lexer.expected("word or phrase to search for", self.at));
        }
        self.at += word.len();
        Ok(Search::Word(word.to_owned()))
    }
}
