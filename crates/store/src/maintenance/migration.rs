//! Brings a store to the schema of this version, by numbered steps. A step that was released is never
//! changed: the hash of each is stored, so that a store made by another build is noticed.

pub(crate) mod postgres;
mod refill;
pub(crate) mod sqlite;

/// FNV-1a: tells texts apart that nobody chose to collide.
fn hash(step: &str) -> String {
    let hash = step.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
