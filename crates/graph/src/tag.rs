//! Entity tags of what shows a stored record: from the hash of its content, its version, and all that
//! shapes the answer.

use model::flags;
use model::variation::Shape;
use store::StoredRecord;
use web::response::ETag;

/// What of a record an answer shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TagOf {
    Record,
    Sessions,
    Participants,
    Rows,
}

/// All that shapes answers of one form, whatever the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TagSeed([u8; 32]);

impl TagSeed {
    /// `key` is the store's own, `metadata` the address of the model up to `#`, `query` the options as
    /// they came.
    pub(crate) fn new(
        key: &[u8; 32],
        of: TagOf,
        metadata: &str,
        query: &str,
        shape: Shape,
        max_page_size: Option<u32>,
    ) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        let wishes = [
            of as u8,
            u8::from(shape.omit_nulls),
            u8::from(shape.unknown_enum_members),
            u8::from(shape.legacy_identities),
            u8::from(shape.ieee754_compatible),
            shape.metadata as u8,
        ];
        hasher.update(&wishes).update(&max_page_size.unwrap_or_default().to_le_bytes());
        hasher.update(metadata.as_bytes()).update(&[0]).update(query.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The tag of a record in this form.
    pub(crate) fn tag(&self, record: &StoredRecord) -> ETag {
        self.tag_of(&content(record))
    }

    /// The tag of an answer in this form, by bytes that tell its content.
    pub(crate) fn tag_of(&self, content: &[u8]) -> ETag {
        let hash = blake3::keyed_hash(&self.0, content);
        let first = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        ETag::new(u128::from_le_bytes(*first))
    }
}

/// Tells a stored record from any other, and from itself before a change.
pub(crate) fn content(record: &StoredRecord) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..16].copy_from_slice(&record.content_hash);
    bytes[16..24].copy_from_slice(&record.version.to_le_bytes());
    let flags = record.flags & !flags::OF_STORE;
    bytes[24..].copy_from_slice(&flags.to_le_bytes());
    bytes
}
