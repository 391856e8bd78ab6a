//! A zstd dictionary: those that the binary ships, and the rows of table `dictionary`.
//!
//! zstd writes the number of the dictionary into each frame, so a fragment itself says which one it
//! needs, and fragments of old dictionaries stay readable for good.

use model::fragment::FragmentKind;
use zstd::zstd_safe::{CDict, DDict, get_dict_id_from_dict};

use crate::engine::Connection;
use crate::{Cause, Error};

/// The level that fragments are compressed with: good for packs of repeated member names; a higher one
/// costs more than it saves.
pub(super) const LEVEL: i32 = 3;

/// What the binary brings for a new store.
const SHIPPED: [ShippedDictionary; 3] = [
    ShippedDictionary {
        kind: FragmentKind::Record,
        body: include_bytes!("../../dictionaries/record.zdict"),
    },
    ShippedDictionary {
        kind: FragmentKind::Sessions,
        body: include_bytes!("../../dictionaries/sessions.zdict"),
    },
    ShippedDictionary {
        kind: FragmentKind::Participants,
        body: include_bytes!("../../dictionaries/participants.zdict"),
    },
];

/// BLAKE3 of dictionaries that earlier builds brought under numbers that were given again.
const EARLIER: [(u32, &str); 3] = [
    (1, "2450aea43b0e864cd2ee3fe9bcd28aca2afe12d0cb65d8dc7b3afefe9cfd53ed"),
    (2, "8205a869f6e78b20cf9138cca2bf06d49ce206a947223ee245d9ad4e9afcd812"),
    (3, "4455ff4fe7004e6d965e3c18bba5bb1f8555d7e62cd620484ec22296c4e274de"),
];

/// A dictionary in the binary; its number stands in its body.
struct ShippedDictionary {
    kind: FragmentKind,
    body: &'static [u8],
}

/// A row of table `dictionary`.
pub(crate) struct DictionaryRow {
    pub(crate) key: u32,
    pub(crate) kind: FragmentKind,
    pub(crate) body: Vec<u8>,
}

/// A dictionary, prepared for reading.
pub(crate) struct Dictionary {
    pub(crate) row: DictionaryRow,
    pub(crate) decoder: DDict<'static>,
}

impl Dictionary {
    /// Prepares a row.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the row is not what was written, as far as that shows: the shipped
    /// dictionaries are known byte for byte.
    pub(super) fn new(row: DictionaryRow) -> Result<Self, Error> {
        let shipped = SHIPPED.iter().find(|shipped| number(shipped.body) == row.key);
        if let Some(shipped) = shipped
            && (shipped.kind != row.kind || (shipped.body != row.body && !is_earlier(&row)))
        {
            return Err(damaged(row.key, "it is not the dictionary that has this number"));
        }
        if number(&row.body) != row.key {
            return Err(damaged(row.key, "its dictionary has another number"));
        }
        // What can be read with may still be nothing to write with.
        let is_writable = || CDict::try_create(&row.body, LEVEL).is_some();
        match DDict::try_create(&row.body) {
            Some(decoder) if shipped.is_some() || is_writable() => Ok(Self { row, decoder }),
            _ => Err(damaged(row.key, "its body is no dictionary")),
        }
    }
}

/// The number that a dictionary's body states; 0 if it states none.
fn number(body: &[u8]) -> u32 {
    get_dict_id_from_dict(body).map_or(0, std::num::NonZero::get)
}

/// Adds the shipped dictionaries that the store lacks. Nothing is written if it has all of them: a
/// store that another process writes can be opened at once.
pub(crate) fn add_shipped(connection: &Connection) -> Result<(), Error> {
    let text = "SELECT dictionary_key FROM dictionary";
    let stored: Vec<u32> = connection.all(text, (), |row| row.get(0))?;
    for ShippedDictionary { kind, body } in &SHIPPED {
        let key = number(body);
        if !stored.contains(&key) {
            // Another process may have been faster.
            connection.execute(
                "INSERT INTO dictionary (dictionary_key, kind, body) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO NOTHING",
                (key, kind_name(*kind), *body),
            )?;
        }
    }
    Ok(())
}

/// Whether an earlier build brought it.
fn is_earlier(row: &DictionaryRow) -> bool {
    let hash = blake3::hash(&row.body).to_hex();
    EARLIER.iter().any(|(number, known)| *number == row.key && *known == hash.as_str())
}

/// A row of table `dictionary` that can't be used.
fn damaged(key: u32, what: &str) -> Error {
    Error::Corrupt(Cause::new(format!("table dictionary, row {key}: {what}")))
}

/// Table `dictionary`.
pub(crate) fn rows(connection: &Connection) -> Result<Vec<DictionaryRow>, Error> {
    connection.all("SELECT dictionary_key, kind, body FROM dictionary", (), |row| {
        let (key, name): (u32, String) = (row.get(0)?, row.get(1)?);
        let unknown = || damaged(key, &format!("there is no kind {name:?}"));
        let kind = parse_kind(&name).ok_or_else(unknown)?;
        Ok(DictionaryRow { key, kind, body: row.get(2)? })
    })
}

/// How a kind is called in table `dictionary`.
fn kind_name(kind: FragmentKind) -> &'static str {
    match kind {
        FragmentKind::Record => "record",
        FragmentKind::Sessions => "sessions",
        FragmentKind::Participants => "participants",
    }
}

/// The kind of this name.
fn parse_kind(name: &str) -> Option<FragmentKind> {
    [FragmentKind::Record, FragmentKind::Sessions, FragmentKind::Participants]
        .into_iter()
        .find(|kind| kind_name(*kind) == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::encoder::Encoder;

    fn row(shipped: &ShippedDictionary, body: Vec<u8>) -> DictionaryRow {
        DictionaryRow { key: number(shipped.body), kind: shipped.kind, body }
    }

    #[test]
    fn every_flipped_bit_of_a_dictionary_is_told_with_its_row() {
        for shipped in &SHIPPED {
            let whole = row(shipped, shipped.body.to_vec());
            let key = whole.key;
            assert!(Dictionary::new(whole).is_ok());
            // All of the tables in front, and of the rest some.
            let of_content = (1_024 * 8..shipped.body.len() * 8).step_by(997);
            for bit in (0..1_024 * 8).chain(of_content) {
                let mut body = shipped.body.to_vec();
                body[bit / 8] ^= 1 << (bit % 8);
                let Err(Error::Corrupt(cause)) = Dictionary::new(row(shipped, body)) else {
                    panic!("bit {bit} of {key}")
                };
                let place = format!("table dictionary, row {key}:");
                assert!(cause.to_string().starts_with(&place), "{cause}");
            }
        }
    }

    #[test]
    fn a_dictionary_that_the_binary_does_not_know_is_tried_and_never_ends_the_process() {
        let shipped = &SHIPPED[0];
        // The number stands behind the magic number.
        let mut other = shipped.body.to_vec();
        other[4..8].copy_from_slice(&77_u32.to_le_bytes());
        let row = |body| DictionaryRow { key: 77, kind: shipped.kind, body };
        assert!(Dictionary::new(row(other.clone())).is_ok());
        for bit in 0..256 * 8 {
            let mut body = other.clone();
            body[bit / 8] ^= 1 << (bit % 8);
            if let Ok(dictionary) = Dictionary::new(row(body)) {
                drop(Encoder::new(shipped.kind, Some(&dictionary)));
            }
        }
        for length in 0..64 {
            assert!(Dictionary::new(row(other[..length].to_vec())).is_err(), "{length}");
        }
    }
}
