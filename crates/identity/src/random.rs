//! Random bytes from the operating system's generator.

/// Random bytes, fit for keys.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    aws_lc_rs::rand::fill(&mut out).expect("AWS-LC ends the process when it has no entropy");
    out
}

/// A new random key of 256 bits.
pub fn random_key() -> [u8; 32] {
    bytes()
}
