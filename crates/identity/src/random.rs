//! Random bytes from the operating system's generator.

/// Random bytes, fit for keys.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    aws_lc_rs::rand::fill(&mut out).expect("AWS-LC ends the process when it has no entropy");
    out
}
