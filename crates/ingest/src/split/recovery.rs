//! Reading on behind a value that broke off or lines that are no record: with the next line that begins a
//! value, and of a list with the next that is indented as its items are.

use super::{Refusal, Splitter, State, Step};

/// Lines that are no record, nor part of one that broke off.
#[derive(Debug, Clone, Copy)]
pub(super) struct StrayLines {
    first: u64,
    last: u64,
    /// How many there are, since others may stand between them.
    count: u64,
}

impl Splitter {
    /// Passes over bytes up to a line with which reading can go on.
    pub(super) fn find_line(&mut self) -> Step {
        let bytes = &self.buffer[self.at..];
        let newline = bytes.iter().position(|byte| *byte == b'\n');
        let passed = &bytes[..newline.unwrap_or(bytes.len())];
        if self.list.is_some() && passed.contains(&b'{') {
            self.unread.get_or_insert(self.line);
        }
        let line = newline.map_or(&[][..], |newline| &bytes[newline + 1..]);
        let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        self.at += passed.len();
        let Some(first) = line.get(blanks).copied() else {
            self.start = self.at;
            return if self.is_finished { self.tell_unread() } else { Step::Starved };
        };
        if self.list.as_ref().is_some_and(|list| list.goes_on(blanks, first)) {
            self.unread = None;
            self.begin_line(blanks, State::Items);
            return self.tell_stray();
        }
        if blanks == 0 && matches!(first, b'{' | b'[') {
            if self.unread.is_some() {
                return self.tell_unread();
            }
            self.list = None;
            self.begin_line(0, State::Between);
            return self.tell_stray();
        }
        self.begin_line(0, State::Lost);
        // Nothing, or what stands on the lines of a printed record.
        if blanks == 0 && !matches!(first, b'\n' | b'\r' | b'}' | b']' | b',') {
            self.pass_over();
        }
        Step::Go
    }

    /// Goes on behind so many blanks of the next line.
    fn begin_line(&mut self, blanks: usize, state: State) {
        self.at += 1 + blanks;
        self.line += 1;
        self.go(state);
        self.blanks = Some(blanks);
    }

    /// Refuses the rest of a list in which no item was found, then the lines that were passed over.
    fn tell_unread(&mut self) -> Step {
        let list = self.list.take();
        match (self.unread.take(), list) {
            (Some(line), Some(_)) => {
                let message = "what follows in the list is not read, since no line begins with '{' \
                               and as many blanks as its records";
                Step::Found(self.refusal_at(line, message))
            }
            _ => self.tell_stray(),
        }
    }

    /// Remembers that this line is no record.
    pub(super) fn pass_over(&mut self) {
        let line = self.line;
        let stray = self.stray.get_or_insert(StrayLines { first: line, last: 0, count: 0 });
        stray.last = line;
        stray.count += 1;
    }

    /// Refuses the lines that were passed over.
    fn tell_stray(&mut self) -> Step {
        let Some(StrayLines { first, last, count }) = self.stray.take() else {
            return if self.state == State::Lost { Step::Starved } else { Step::Go };
        };
        let others = match count {
            1 => String::new(),
            2 => format!(", also on line {last}"),
            _ => format!(", also on {} lines up to line {last}", count - 1),
        };
        let message = format!("expected a record, which begins with '{{'{others}");
        Step::Found(Err(Refusal { line: first, pointer: String::new(), message }))
    }
}
