//! Follows a JSON object to its closing brace, byte by byte, and notices where its text breaks.

/// How far into a value the reading is.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    depth: u64,
    in_string: bool,
    /// The byte before was a backslash in a string.
    is_escaped: bool,
    /// The last byte outside of strings that is not white space.
    last: u8,
    /// A line ended at a place at which only a closing bracket, a comma or a colon may follow.
    line_ended: bool,
    /// A line ended at a place at which the name of a member or a closing brace has to follow.
    name_follows: bool,
    /// Of the brackets that are open, the first in the lowest bit, those that are braces. Of more than it has
    /// bits nothing is known.
    braces: u64,
}

/// How a stretch of bytes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the value's last byte.
    Closed,
    /// Before a byte with which no JSON value goes on.
    Broken,
    /// Inside the value.
    Open,
}

impl Nesting {
    /// Inside an object, behind one of its members.
    pub(super) fn behind_member() -> Self {
        Self { depth: 1, last: b']', braces: 1, ..Self::default() }
    }

    /// Whether it stands within a string.
    pub(super) fn is_in_string(&self) -> bool {
        self.in_string
    }

    fn open(&mut self, bracket: u8) {
        if let Some(bit) = Self::bit(self.depth) {
            self.braces = if bracket == b'{' { self.braces | bit } else { self.braces & !bit };
        }
        self.depth += 1;
    }

    /// Whether the bracket that was opened last is the brace of an object.
    fn is_in_object(&self) -> bool {
        let last = self.depth.checked_sub(1).and_then(Self::bit);
        last.is_some_and(|bit| self.braces & bit != 0)
    }

    fn bit(depth: u64) -> Option<u64> {
        1_u64.checked_shl(u32::try_from(depth).ok()?)
    }

    /// Follows the bytes: how many belong to the value, how many line ends are among them, and
    /// how it goes on.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> (usize, u64, Ending) {
        let mut at = 0;
        let mut lines = 0;
        while at < bytes.len() {
            if self.in_string {
                let (used, is_broken) = self.string(&bytes[at..]);
                at += used;
                if is_broken {
                    return (at, lines, Ending::Broken);
                }
                continue;
            }
            let byte = bytes[at];
            match byte {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => {
                    lines += 1;
                    self.line_ended |= !matches!(self.last, b'{' | b'[' | b',' | b':');
                    self.name_follows |= matches!(self.last, b'{' | b',') && self.is_in_object();
                }
                _ => {
                    if std::mem::take(&mut self.line_ended)
                        && !matches!(byte, b'}' | b']' | b',' | b':')
                    {
                        return (at, lines, Ending::Broken);
                    }
                    if std::mem::take(&mut self.name_follows) && matches!(byte, b'{' | b'[') {
                        return (at, lines, Ending::Broken);
                    }
                    self.last = byte;
                    match byte {
                        b'"' => self.in_string = true,
                        b'{' | b'[' => self.open(byte),
                        b'}' | b']' => self.depth -= 1,
                        _ => {}
                    }
                    if self.depth == 0 {
                        return (at + 1, lines, Ending::Closed);
                    }
                }
            }
            at += 1;
        }
        (at, lines, Ending::Open)
    }

    /// Follows a string: how many bytes belong to it, and whether a line end breaks it.
    fn string(&mut self, bytes: &[u8]) -> (usize, bool) {
        if std::mem::take(&mut self.is_escaped) {
            return (1, false);
        }
        match bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')) {
            None => (bytes.len(), false),
            Some(at) if bytes[at] == b'"' => {
                self.in_string = false;
                (at + 1, false)
            }
            Some(at) if bytes[at] == b'\\' => {
                self.is_escaped = true;
                (at + 1, false)
            }
            Some(at) => (at, true),
        }
    }
}
