//! The medium of a stream, as the label of its media tells it.

/// What rules are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Medium {
    /// Speech, also the sound of a shared screen.
    Audio,
    /// A shared screen, sent as video (VBSS).
    ScreenSharing,
    /// A camera.
    Video,
}

impl Medium {
    /// All, in the order in which their labels are tried.
    pub const ALL: [Self; 3] = [Self::Audio, Self::ScreenSharing, Self::Video];

    /// The name in profiles and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::ScreenSharing => "screenSharing",
            Self::Video => "video",
        }
    }

    /// The medium of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.name() == name)
    }

    /// What the label of such a medium contains, in lower case. The first in the order of [`Medium::ALL`]
    /// decides, so `applicationsharing-audio` is audio.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::ScreenSharing => "applicationsharing",
            Self::Video => "video",
        }
    }

    /// The medium of a label; none for `data`, a missing label and labels that nobody knows.
    pub fn of_label(label: Option<&str>) -> Option<Self> {
        let label = label?.to_lowercase();
        Self::ALL.into_iter().find(|medium| label.contains(medium.mark()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_in_a_label_decides_whatever_its_case() {
        let medium = |label| Medium::of_label(Some(label));
        assert_eq!(medium("main-audio"), Some(Medium::Audio));
        assert_eq!(medium("MAIN-AUDIO"), Some(Medium::Audio));
        assert_eq!(medium("applicationsharing-audio"), Some(Medium::Audio));
        assert_eq!(medium("applicationsharing-video"), Some(Medium::ScreenSharing));
        assert_eq!(medium("panoramic-video"), Some(Medium::Video));
        assert_eq!(medium("data"), None);
        assert_eq!(Medium::of_label(None), None);
    }
}
