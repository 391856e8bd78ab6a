//! The mixtures of calls and their shares.

use crate::modality;
use crate::rng::Rng;

/// Which calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mix {
    /// As a tenant has them, with meetings of up to 2,000 participants and later versions.
    #[default]
    Realistic,
    /// Records of one size class, for measuring: see the head of the crate.
    Bench,
}

/// What kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    #[default]
    PeerToPeer,
    Telephone,
    Test,
    Group,
    Grown,
    VoiceApplication,
    TownHall,
}

const REALISTIC: [(Kind, u64); 7] = [
    (Kind::PeerToPeer, 430),
    (Kind::Telephone, 110),
    (Kind::Test, 10),
    (Kind::Group, 376),
    (Kind::Grown, 25),
    (Kind::VoiceApplication, 45),
    (Kind::TownHall, 4),
];

const BENCH: [(Kind, u64); 6] = [
    (Kind::PeerToPeer, 615),
    (Kind::Telephone, 55),
    (Kind::Test, 10),
    (Kind::Group, 275),
    (Kind::Grown, 20),
    (Kind::VoiceApplication, 25),
];

impl Mix {
    pub(crate) fn kind(self, rng: &mut Rng) -> Kind {
        let kinds: &[(Kind, u64)] = if self == Self::Realistic { &REALISTIC } else { &BENCH };
        let mut drawn = rng.below(1000);
        for (kind, share) in kinds {
            if drawn < *share {
                return *kind;
            }
            drawn -= share;
        }
        Kind::PeerToPeer
    }

    /// Quantiles of how many are in an ordinary meeting.
    pub(crate) fn group_sizes(self) -> &'static [u64] {
        match self {
            Self::Realistic => &[2, 2, 3, 3, 4, 4, 5, 6, 8, 12, 30],
            Self::Bench => &[2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 26],
        }
    }

    /// Whether the legacy identities (`organizer`, `participants`, `identity`) hold data.
    pub(crate) fn has_legacy_identities(self) -> bool {
        self == Self::Realistic
    }

    // Shares of a thousand.

    pub(crate) fn peer_reported(self) -> u64 {
        if self == Self::Realistic { 970 } else { 600 }
    }

    pub(crate) fn group_reported(self) -> u64 {
        if self == Self::Realistic { 950 } else { 100 }
    }

    pub(crate) fn unanswered(self) -> u64 {
        if self == Self::Realistic { 60 } else { 100 }
    }

    pub(crate) fn rejoined(self) -> u64 {
        if self == Self::Realistic { 120 } else { 250 }
    }

    pub(crate) fn shared(self) -> u64 {
        if self == Self::Realistic { 70 } else { 120 }
    }

    /// Most who are in a call that grew.
    pub(crate) fn grown_to(self) -> u64 {
        if self == Self::Realistic { 7 } else { 4 }
    }

    /// One more than the most agents who don't answer.
    pub(crate) fn agents_rung(self) -> u64 {
        if self == Self::Realistic { 5 } else { 3 }
    }

    /// What a call of two has besides audio.
    pub(crate) fn peer_extras(self, rng: &mut Rng) -> u8 {
        let (video, sharing) = if self == Self::Realistic { (300, 130) } else { (20, 10) };
        extras(rng, video, sharing, 30)
    }

    /// What a person in a meeting has besides audio.
    pub(crate) fn group_extras(self, rng: &mut Rng) -> u8 {
        let (video, sharing, data) =
            if self == Self::Realistic { (350, 140, 60) } else { (20, 10, 10) };
        extras(rng, video, sharing, data)
    }
}

fn extras(rng: &mut Rng, video: u64, sharing: u64, data: u64) -> u8 {
    let mut set = 0;
    if rng.chance(video) {
        set |= modality::VIDEO;
    }
    if rng.chance(sharing) {
        set |= modality::VIDEO_BASED_SCREEN_SHARING;
        if rng.chance(150) {
            set |= modality::SCREEN_SHARING;
        }
    }
    if rng.chance(data) {
        set |= modality::DATA;
    }
    set
}
