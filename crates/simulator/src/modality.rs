//! Modalities: what a leg carries, as bits in the order in which they are printed.

pub(crate) const AUDIO: u8 = 1;
pub(crate) const VIDEO: u8 = 2;
pub(crate) const VIDEO_BASED_SCREEN_SHARING: u8 = 4;
pub(crate) const SCREEN_SHARING: u8 = 8;
pub(crate) const DATA: u8 = 16;
