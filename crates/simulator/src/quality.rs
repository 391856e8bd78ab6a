//! How good a path through the network is: loss, jitter and round trip, which go together.

use crate::rng::{POSITIONS, Rng, interpolate};

/// What kind of way the packets take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// Within Microsoft's or an operator's network.
    Backbone,
    Wired,
    Wifi,
    Mobile,
    /// A mobile network where there are planted causes: as good as Wi-Fi.
    CalmMobile,
    Tunnel,
    /// A tunnel where there are planted causes, calmer too.
    CalmTunnel,
    /// A subnet that is bad on purpose.
    Bad,
}

/// Quantiles (least, 25 %, median, 75 %, most) of a kind of path.
struct Figures {
    jitter_ms: [u64; 5],
    loss_ppm: [u64; 5],
    round_trip_ms: [u64; 5],
    bandwidth_kbps: [u64; 5],
}

const BACKBONE: Figures = Figures {
    jitter_ms: [0, 1, 1, 2, 4],
    loss_ppm: [0, 0, 0, 40, 900],
    round_trip_ms: [2, 5, 9, 15, 40],
    bandwidth_kbps: [20_000, 40_000, 60_000, 80_000, 100_000],
};

const WIRED: Figures = Figures {
    jitter_ms: [1, 2, 4, 7, 18],
    loss_ppm: [0, 0, 150, 900, 12_000],
    round_trip_ms: [8, 18, 30, 55, 140],
    bandwidth_kbps: [2_500, 6_000, 9_500, 14_000, 25_000],
};

const WIFI: Figures = Figures {
    jitter_ms: [2, 5, 9, 16, 45],
    loss_ppm: [0, 200, 1_200, 5_000, 45_000],
    round_trip_ms: [12, 25, 42, 75, 240],
    bandwidth_kbps: [900, 3_500, 6_500, 10_000, 18_000],
};

const MOBILE: Figures = Figures {
    jitter_ms: [6, 12, 20, 32, 70],
    loss_ppm: [0, 900, 4_000, 12_000, 42_000],
    round_trip_ms: [35, 55, 80, 130, 255],
    bandwidth_kbps: [300, 1_200, 2_800, 5_000, 9_000],
};

/// In no figure worse than [`MOBILE`] at the same severity.
const CALM_MOBILE: Figures = Figures { jitter_ms: [5, 9, 14, 20, 45], ..MOBILE };

const TUNNEL: Figures = Figures {
    jitter_ms: [3, 6, 11, 19, 50],
    loss_ppm: [0, 300, 1_800, 7_000, 42_000],
    round_trip_ms: [30, 50, 80, 130, 255],
    bandwidth_kbps: [700, 2_500, 4_500, 7_000, 12_000],
};

/// In no figure worse than [`TUNNEL`] at the same severity.
const CALM_TUNNEL: Figures = Figures { jitter_ms: [3, 5, 8, 13, 36], ..TUNNEL };

const BAD: Figures = Figures {
    jitter_ms: [38, 50, 66, 88, 140],
    loss_ppm: [62_000, 85_000, 115_000, 160_000, 280_000],
    round_trip_ms: [360, 430, 540, 700, 1_300],
    bandwidth_kbps: [60, 120, 250, 450, 800],
};

fn figures(path: Path) -> &'static Figures {
    match path {
        Path::Backbone => &BACKBONE,
        Path::Wired => &WIRED,
        Path::Wifi => &WIFI,
        Path::Mobile => &MOBILE,
        Path::CalmMobile => &CALM_MOBILE,
        Path::Tunnel => &TUNNEL,
        Path::CalmTunnel => &CALM_TUNNEL,
        Path::Bad => &BAD,
    }
}

/// The figures of one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quality {
    pub(crate) jitter_ms: u64,
    pub(crate) loss_ppm: u64,
    pub(crate) round_trip_ms: u64,
    pub(crate) bandwidth_kbps: u64,
}

impl Quality {
    /// What makes no other path worse.
    pub(crate) const BEST: Self =
        Self { jitter_ms: 0, loss_ppm: 0, round_trip_ms: 0, bandwidth_kbps: u64::MAX };

    /// Draws one severity and reads every figure at it, so that a bad moment is bad in all.
    pub(crate) fn draw(rng: &mut Rng, path: Path) -> Self {
        let severity = rng.below(POSITIONS);
        let figures = figures(path);
        Self {
            jitter_ms: interpolate(&figures.jitter_ms, severity),
            loss_ppm: interpolate(&figures.loss_ppm, severity),
            round_trip_ms: interpolate(&figures.round_trip_ms, severity),
            bandwidth_kbps: interpolate(&figures.bandwidth_kbps, POSITIONS - 1 - severity),
        }
    }

    /// Both paths one behind the other: the worse of each.
    pub(crate) fn across(self, other: Self) -> Self {
        Self {
            jitter_ms: self.jitter_ms.max(other.jitter_ms),
            loss_ppm: self.loss_ppm.max(other.loss_ppm),
            round_trip_ms: self.round_trip_ms.max(other.round_trip_ms),
            bandwidth_kbps: self.bandwidth_kbps.min(other.bandwidth_kbps),
        }
    }

    /// The path as one stream sees it: all figures off by the same share, up to 15 %.
    pub(crate) fn varied(self, rng: &mut Rng) -> Self {
        let percent = rng.between(85, 115);
        Self {
            jitter_ms: self.jitter_ms * percent / 100,
            loss_ppm: self.loss_ppm * percent / 100,
            round_trip_ms: self.round_trip_ms * percent / 100,
            bandwidth_kbps: self.bandwidth_kbps * 100 / percent,
        }
    }

    /// Whether a listener would complain.
    pub(crate) fn is_poor(self) -> bool {
        self.loss_ppm > 50_000 || self.jitter_ms > 60 || self.round_trip_ms > 500
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_path_is_bad_in_every_figure_and_others_never_in_all() {
        let mut rng = Rng::of(4, 4);
        let bad = |q: Quality| [q.jitter_ms >= 30, q.loss_ppm >= 50_000, q.round_trip_ms >= 300];
        for _ in 0..5_000 {
            assert_eq!(bad(Quality::draw(&mut rng, Path::Bad).varied(&mut rng)), [true; 3]);
            for path in [Path::Backbone, Path::Wired, Path::Wifi, Path::Mobile, Path::Tunnel] {
                let quality = Quality::draw(&mut rng, path).varied(&mut rng);
                // Across two paths the worse of each counts, so that one figure must never be bad.
                assert!(!bad(quality)[2], "{path:?}");
            }
        }
    }

    #[test]
    fn two_paths_together_are_as_bad_as_the_worse() {
        let mut rng = Rng::of(5, 5);
        let (good, bad) =
            (Quality::draw(&mut rng, Path::Backbone), Quality::draw(&mut rng, Path::Bad));
        assert_eq!(good.across(bad).loss_ppm, bad.loss_ppm);
        assert!(good.across(bad).is_poor() && !good.is_poor());
    }
}
