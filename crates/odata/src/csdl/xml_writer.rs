//! Writes XML as indented elements.

use std::borrow::Cow;

/// Name and value.
pub(super) type Attribute<'a> = (&'a str, Cow<'a, str>);

/// Indented elements; only those without children hold character data, so white space between
/// elements is free.
pub(super) struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    /// Begins a document.
    pub(super) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".into(), depth: 0 }
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Opens an element that has children.
    pub(super) fn open(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.tag(tag, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    /// Closes the element that [`Self::open`] opened.
    pub(super) fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.indent();
        self.text.push_str("</");
        self.text.push_str(tag);
        self.text.push_str(">\n");
    }

    /// An element without content.
    pub(super) fn empty(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.tag(tag, attributes);
        self.text.push_str(" />\n");
    }

    /// An element with character data.
    pub(super) fn text(&mut self, tag: &str, text: &str) {
        self.tag(tag, &[]);
        self.text.push('>');
        self.push_escaped(text);
        self.text.push_str("</");
        self.text.push_str(tag);
        self.text.push_str(">\n");
    }

    fn tag(&mut self, tag: &str, attributes: &[Attribute<'_>]) {
        self.indent();
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.push_escaped(value);
            self.text.push('"');
        }
    }

    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
    }

    fn push_escaped(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '"' => self.text.push_str("&quot;"),
                other => self.text.push(other),
            }
        }
    }
}
