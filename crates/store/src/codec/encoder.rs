//! What compresses fragments of one kind.

use model::fragment::FragmentKind;
use zstd::zstd_safe::{CCtx, CParameter};

use super::dictionary::{Dictionary, LEVEL};

/// What compresses fragments of a kind. Making one takes as long as compressing a hundred of them, since
/// the dictionary is indexed, so they are used again.
pub(super) struct Encoder {
    pub(super) kind: FragmentKind,
    /// The number of its dictionary; none if it has none.
    pub(super) dictionary: Option<u32>,
    pub(super) context: CCtx<'static>,
}

impl Encoder {
    pub(super) fn new(kind: FragmentKind, dictionary: Option<&Dictionary>) -> Self {
        let mut context = CCtx::create();
        let mut set = |parameter| {
            context.set_parameter(parameter).expect("the parameter is within its range");
        };
        set(CParameter::CompressionLevel(LEVEL));
        set(CParameter::ChecksumFlag(true));
        if let Some(dictionary) = dictionary {
            let body = &dictionary.row.body;
            context.load_dictionary(body).expect("there is memory for a dictionary");
        }
        Self { kind, dictionary: dictionary.map(|dictionary| dictionary.row.key), context }
    }
}
