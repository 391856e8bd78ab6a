//! Writes of profiles.

use super::Store;
use crate::pending::Pending;
use crate::rows::profile::{ProfileOutcome, ProfileRow};
use crate::tables::profiles;
use crate::writer::Weight;

impl Store {
    /// Keeps a version of a profile of the owner.
    pub fn import_profile(&self, profile: ProfileRow) -> Pending<ProfileOutcome> {
        self.submit(Weight::SMALL, move |session| profiles::import(session, &profile))
    }
}
