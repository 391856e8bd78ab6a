//! What failed, and what people said of it: axes of their own beside the figures of streams.

/// Sessions by how they went. Tests of a device or a network are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reliability {
    /// All sessions.
    pub sessions: u64,
    /// Those that were never set up.
    pub setup_failures: u64,
    /// Those that broke off.
    pub drops: u64,
}

impl Reliability {
    /// Counts a session by `isTest` and `failureInfo/stage`.
    pub fn add(&mut self, is_test: Option<bool>, stage: Option<&str>) {
        if is_test == Some(true) {
            return;
        }
        self.sessions += 1;
        match stage {
            Some("callSetup") => self.setup_failures += 1,
            Some("midcall") => self.drops += 1,
            _ => {}
        }
    }

    /// The share of sessions that were never set up.
    pub fn setup_failure_share(self) -> Option<f64> {
        share(self.setup_failures, self.sessions)
    }

    /// The share of sessions that broke off among those that were set up.
    pub fn drop_share(self) -> Option<f64> {
        share(self.drops, self.sessions - self.setup_failures)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What people said of a call when they were asked (Graph's userFeedbackRating).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ratings {
    /// Answers.
    pub rated: u64,
    /// Answers `bad` and `poor`.
    pub poor: u64,
}

impl Ratings {
    /// Counts a rating. `notRated` and what nobody knows is no answer.
    pub fn add(&mut self, rating: &str) {
        match rating {
            "bad" | "poor" => {
                self.rated += 1;
                self.poor += 1;
            }
            "fair" | "good" | "excellent" => self.rated += 1,
            _ => {}
        }
    }

    /// The share of poor answers. People answer rather when it was bad.
    pub fn poor_share(self) -> Option<f64> {
        share(self.poor, self.rated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_counted_among_what_was_set_up() {
        let mut all = Reliability::default();
        for stage in [None, Some("unknown"), Some("callSetup"), Some("midcall"), None] {
            all.add(Some(false), stage);
        }
        all.add(Some(true), Some("callSetup"));
        assert_eq!(all, Reliability { sessions: 5, setup_failures: 1, drops: 1 });
        assert_eq!((all.setup_failure_share(), all.drop_share()), (Some(0.2), Some(0.25)));
        assert_eq!(Reliability::default().drop_share(), None);
    }

    #[test]
    fn who_was_not_asked_has_not_rated() {
        let mut all = Ratings::default();
        for rating in ["bad", "notRated", "excellent", "poor", "unknownFutureValue"] {
            all.add(rating);
        }
        assert_eq!(all, Ratings { rated: 3, poor: 2 });
        assert_eq!(Ratings::default().poor_share(), None);
    }
}
