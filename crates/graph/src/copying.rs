//! Writes a form by copying the fragments of a record at once.

use std::ops::Range;

use model::assemble::{
    SessionForm, Window, push_items, push_participant, push_record, push_session,
};
use store::{Reader, StoredRecord};
use web::Problem;

use crate::form::{Collection, Sink};

/// Copies the fragments of a record at once.
pub(crate) struct Copier<'a> {
    pub(crate) reader: &'a mut Reader,
    pub(crate) metadata: &'a str,
    pub(crate) out: &'a mut Vec<u8>,
}

impl Sink for Copier<'_> {
    fn text(&mut self) -> &mut Vec<u8> {
        self.out
    }

    fn record(&mut self, row: &StoredRecord, path: &str) -> Result<(), Problem> {
        push_record(self.out, self.metadata, path, &row.fragment).map_err(Problem::damaged)
    }

    fn items(
        &mut self,
        collection: Collection,
        row: &StoredRecord,
        places: Range<usize>,
        form: &SessionForm,
    ) -> Result<usize, Problem> {
        let (pack_size, room) = (collection.pack_size(), places.len());
        let (mut pack, mut shown) = (Vec::new(), 0);
        while shown < room {
            let at = places.start + shown;
            let window = Window { skip: at % pack_size, take: room - shown, is_first: shown == 0 };
            let number = at / pack_size;
            let count = match collection {
                Collection::Sessions => {
                    if !self.reader.session_pack(row.record_key, number, &mut pack)? {
                        break;
                    }
                    push_items(self.out, &pack, window, |out, item| {
                        push_session(out, form, item);
                    })
                }
                Collection::Participants => {
                    if !self.reader.participant_pack(row.record_key, number, &mut pack)? {
                        break;
                    }
                    push_items(self.out, &pack, window, push_participant)
                }
            }
            .map_err(Problem::damaged)?;
            shown += count;
            // Only the last pack has room.
            if window.skip + count < pack_size {
                break;
            }
        }
        Ok(shown)
    }
}
