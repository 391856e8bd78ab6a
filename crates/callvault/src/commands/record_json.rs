//! Writes stored records as lines of JSON, complete and without contexts and links, so that they can be
//! imported again.

use std::io::Write;

use anyhow::{Context, Result};
use model::fragment::{Pack, RecordFragment};
use odata::json::push_member;
use store::{Reader, StoredRecord};

use crate::cli::Expand;

/// Writes a record that the reader has just returned.
pub(super) fn write(
    out: &mut impl Write,
    reader: &mut Reader,
    record: &StoredRecord,
    expand: &[Expand],
) -> Result<()> {
    let line = line(reader, record, expand)
        .with_context(|| format!("reading version {} of {}", record.version, record.id))?;
    out.write_all(&line)?;
    Ok(())
}

/// Writes a record of a list. If it can't be read, an error takes its place and the list goes on.
pub(super) fn write_or_error(
    out: &mut impl Write,
    reader: &mut Reader,
    record: &StoredRecord,
    expand: &[Expand],
) -> Result<()> {
    let line = line(reader, record, expand).unwrap_or_else(|cause| {
        tracing::error!(id = record.id, ?cause, "can't read a record");
        let mut line = vec![b'{'];
        push_member(&mut line, "id", &record.id);
        line.extend_from_slice(b",\"@error\":{");
        push_member(&mut line, "message", "The stored record is damaged.");
        line.extend_from_slice(b"}}\n");
        line
    });
    out.write_all(&line)?;
    Ok(())
}

/// A record as a line.
fn line(reader: &mut Reader, record: &StoredRecord, expand: &[Expand]) -> Result<Vec<u8>> {
    let fragment = RecordFragment::read(&record.fragment)?;
    let mut line = vec![b'{'];
    line.extend_from_slice(fragment.head);
    line.extend_from_slice(fragment.tail);
    if expand.contains(&Expand::Participants) {
        line.extend_from_slice(b",\"participants_v2\":[");
        push_packs(
            &mut line,
            |number, pack| reader.participant_pack(record.record_key, number, pack),
            false,
        )?;
        line.push(b']');
    }
    let with_segments = expand.contains(&Expand::Segments);
    if with_segments || expand.contains(&Expand::Sessions) {
        line.extend_from_slice(b",\"sessions\":[");
        push_packs(
            &mut line,
            |number, pack| reader.session_pack(record.record_key, number, pack),
            with_segments,
        )?;
        line.push(b']');
    }
    line.extend_from_slice(b"}\n");
    Ok(line)
}

/// Appends the items of all packs, separated by commas.
fn push_packs(
    line: &mut Vec<u8>,
    mut read: impl FnMut(usize, &mut Vec<u8>) -> Result<bool, store::Error>,
    with_segments: bool,
) -> Result<()> {
    let (mut pack, mut is_first) = (Vec::new(), true);
    for number in 0.. {
        if !read(number, &mut pack)? {
            break;
        }
        for item in Pack::read(&pack)?.items() {
            let item = item?;
            if !std::mem::take(&mut is_first) {
                line.push(b',');
            }
            line.push(b'{');
            line.extend_from_slice(item.members);
            if with_segments {
                line.extend_from_slice(b",\"segments\":[");
                line.extend_from_slice(item.inner);
                line.push(b']');
            }
            line.push(b'}');
        }
    }
    Ok(())
}
