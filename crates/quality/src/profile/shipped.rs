//! The profiles that come with the program.

use super::{Profile, read};

/// The text that they are read from.
const TEXT: &str = include_str!("shipped.toml");

/// All of them, the default first.
pub(super) fn profiles() -> Vec<Profile> {
    read::profiles(TEXT, &[]).expect("a test reads the profiles that are shipped")
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT;
    use super::*;

    #[test]
    fn the_default_comes_first() {
        let names: Vec<String> = profiles().into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, [DEFAULT, "cqd-2020", "cri-2", "teams-live"]);
    }

    #[test]
    fn a_digest_changes_with_a_threshold_and_not_with_the_layout() {
        let digest = |text: &str| read::profiles(text, &[]).unwrap()[0].digest();
        let spaced = TEXT.replace(" = ", "   =  ");
        assert_eq!(digest(TEXT), digest(&spaced));
        assert_ne!(digest(TEXT), digest(&TEXT.replacen("above = 500", "above = 501", 1)));
    }
}
