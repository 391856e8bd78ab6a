//! Reading profiles.

use super::Reader;
use crate::Error;
use crate::rows::profile::ProfileRow;
use crate::tables::profiles;

impl Reader {
    /// The owner's profiles, each in its newest version, by name.
    pub fn profiles(&mut self) -> Result<Vec<ProfileRow>, Error> {
        profiles::newest(self.snapshot.fresh()?)
    }
}
