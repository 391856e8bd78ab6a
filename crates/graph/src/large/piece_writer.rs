//! Writes an answer piece by piece out of fragments that are unpacked on the way.

use std::collections::VecDeque;
use std::io::Read as _;

use model::assemble::{SessionForm, Window};
use model::fragment::{Corrupt, FragmentKind, NOWHERE};
use store::{FragmentReader, PackedFragment};
use web::Problem;

use crate::record;

/// A part of an answer.
pub(super) enum Part {
    Text(Vec<u8>),
    /// A fragment by its kind and its place in the store, with what is written of it.
    Fragment {
        kind: FragmentKind,
        place: (i64, usize),
        layout: Layout,
    },
}

/// What is written of a fragment.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    /// All of a record, with this before its organizer.
    Record { organizer: Vec<u8> },
    /// Items of a pack, with their segments if these are shown.
    Items { window: Window, form: SessionForm },
}

/// An answer in the making.
pub(super) struct PieceWriter {
    parts: VecDeque<LoadedPart>,
    running: Option<FragmentWriter>,
    size: u64,
}

/// A part with its bytes.
enum LoadedPart {
    Text(Vec<u8>),
    Packed(PackedFragment, Layout),
}

/// A fragment that is being written.
struct FragmentWriter {
    bytes: FragmentReader,
    steps: VecDeque<Step>,
    form: SessionForm,
    /// The id of the item that is being written.
    id: String,
}

/// What is done next with the bytes of a fragment.
enum Step {
    /// Write so many of them.
    Copy(u64),
    /// Leave so many out.
    Skip(u64),
    /// So many are the id of an item.
    Id(u32),
    /// Write something else.
    Text(Vec<u8>),
    /// Write what stands before the segments of the item.
    Segments,
    /// There are no more, and their checksum is right.
    End,
}

impl PieceWriter {
    /// Reads what the store keeps of an answer that ends with `text`.
    pub(super) fn new(
        reader: &mut store::Reader,
        parts: Vec<Part>,
        text: Vec<u8>,
    ) -> Result<Self, Problem> {
        let (mut ready, mut size) = (VecDeque::with_capacity(parts.len() + 1), text.len() as u64);
        for part in parts {
            match part {
                Part::Text(text) => {
                    size += text.len() as u64;
                    ready.push_back(LoadedPart::Text(text));
                }
                Part::Fragment { kind, place, layout } => {
                    // Erased since its record was found.
                    let packed = reader.packed(kind, place)?.ok_or_else(record::not_found)?;
                    size += packed.size();
                    ready.push_back(LoadedPart::Packed(packed, layout));
                }
            }
        }
        ready.push_back(LoadedPart::Text(text));
        Ok(Self { parts: ready, running: None, size })
    }

    /// Bytes of the answer, roughly.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The next piece, of `most` bytes and perhaps a name more; an empty one at the end.
    pub(super) fn piece(&mut self, most: usize) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::with_capacity(most);
        while out.len() < most {
            if let Some(running) = &mut self.running {
                if !running.step(&mut out, most)? {
                    self.running = None;
                }
                continue;
            }
            match self.parts.pop_front() {
                None => break,
                Some(LoadedPart::Text(text)) => out.extend_from_slice(&text),
                Some(LoadedPart::Packed(packed, layout)) => {
                    self.running = Some(FragmentWriter::begin(packed, layout)?);
                }
            }
        }
        Ok(out)
    }
}

impl FragmentWriter {
    fn begin(packed: PackedFragment, layout: Layout) -> Result<Self, Problem> {
        let size = packed.size();
        let bytes = packed.unpack().map_err(Problem::internal)?;
        let (steps, form) = (VecDeque::new(), SessionForm::ALONE);
        let mut running = Self { bytes, steps, form, id: String::new() };
        match layout {
            Layout::Record { organizer } => running.plan_record(size, organizer)?,
            Layout::Items { window, form } => {
                running.form = form;
                running.plan_items(window)?;
            }
        }
        Ok(running)
    }

    fn plan_record(&mut self, size: u64, organizer: Vec<u8>) -> Result<(), Problem> {
        let offset = self.number()?;
        let members = size.checked_sub(4).ok_or(Corrupt).map_err(Problem::damaged)?;
        let head = if offset == NOWHERE { members } else { u64::from(offset) };
        let tail = members.checked_sub(head).ok_or(Corrupt).map_err(Problem::damaged)?;
        self.steps.push_back(Step::Copy(head));
        if tail > 0 {
            self.steps.extend([Step::Text(organizer), Step::Copy(tail)]);
        }
        self.steps.push_back(Step::End);
        Ok(())
    }

    fn plan_items(&mut self, window: Window) -> Result<(), Problem> {
        let count = self.number()? as usize;
        let mut lengths = Vec::new();
        for _ in 0..count {
            lengths.push([self.number()?, self.number()?, self.number()?]);
        }
        let mut is_first = window.is_first;
        for (at, [id, members, inner]) in lengths.into_iter().enumerate() {
            if at >= window.skip + window.take {
                return Ok(());
            }
            if at < window.skip {
                let all = u64::from(id) + u64::from(members) + u64::from(inner);
                self.steps.push_back(Step::Skip(all));
                continue;
            }
            let opening = if std::mem::take(&mut is_first) { "{" } else { ",{" };
            let members = Step::Copy(members.into());
            self.steps.extend([Step::Id(id), Step::Text(opening.into()), members]);
            if self.form.has_segments() {
                let inner = Step::Copy(inner.into());
                self.steps.extend([Step::Segments, inner, Step::Text(b"]}".to_vec())]);
            } else {
                self.steps.extend([Step::Skip(inner.into()), Step::Text(b"}".to_vec())]);
            }
        }
        self.steps.push_back(Step::End);
        Ok(())
    }

    /// Does what comes next, for about as many bytes as fit; false at the end.
    fn step(&mut self, out: &mut Vec<u8>, most: usize) -> Result<bool, Problem> {
        let Some(step) = self.steps.pop_front() else { return Ok(false) };
        match step {
            Step::Copy(count) => {
                let now = count.min((most - out.len()) as u64);
                let before = out.len();
                out.resize(before + now as usize, 0);
                self.bytes.read_exact(&mut out[before..]).map_err(Problem::internal)?;
                if now < count {
                    self.steps.push_front(Step::Copy(count - now));
                }
            }
            Step::Skip(count) => {
                let mut left = (&mut self.bytes).take(count);
                let skipped = std::io::copy(&mut left, &mut std::io::sink());
                if skipped.map_err(Problem::internal)? < count {
                    return Err(Problem::damaged(Corrupt));
                }
            }
            Step::Id(length) => {
                self.id.clear();
                let mut left = (&mut self.bytes).take(length.into());
                left.read_to_string(&mut self.id).map_err(Problem::internal)?;
            }
            Step::Text(text) => out.extend_from_slice(&text),
            Step::Segments => {
                self.form.push_opening(out, &self.id);
            }
            Step::End => {
                if self.bytes.read(&mut [0]).map_err(Problem::internal)? > 0 {
                    return Err(Problem::damaged(Corrupt));
                }
            }
        }
        Ok(true)
    }

    fn number(&mut self) -> Result<u32, Problem> {
        let mut bytes = [0; 4];
        self.bytes.read_exact(&mut bytes).map_err(Problem::internal)?;
        Ok(u32::from_le_bytes(bytes))
    }
}
