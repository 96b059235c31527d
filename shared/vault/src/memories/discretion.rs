//! What is not shown unasked: what a user hides, and, in a vault that looks for it, what a recogniser keeps back.

use photovault_domain::{Hidden, Media, UserId};

use crate::{Vault, seams::SeamResult};

/// What no memory shows.
#[derive(Clone, Debug)]
pub struct Discretion {
    /// What its user hides.
    pub hidden: Hidden,
    /// Whether what a recogniser keeps back is heeded.
    moderates: bool,
}

impl Vault {
    /// What no memory of a user shows. A photo at which nobody has looked yet is shown.
    pub async fn discretion(&self, user: &UserId) -> SeamResult<Discretion> {
        Ok(Discretion { hidden: self.hiding.of(user).await?, moderates: self.names.recognising.sought.moderation })
    }
}

impl Discretion {
    /// Whether a local day is left out.
    pub fn hides_day(&self, date: &str) -> bool {
        self.hidden.hides_day(date)
    }

    /// Whether a photo is.
    pub fn hides(&self, media: &Media) -> bool {
        let moderation = media.tags.iter().filter(|_| self.moderates).find_map(|tags| tags.moderation.as_ref());
        moderation.is_some_and(|moderation| moderation.keeps_back().is_some()) || self.hidden.hides(media)
    }

    /// Whether a photo must be read to know it.
    pub(super) fn looks_at_photos(&self) -> bool {
        self.moderates || self.hidden.looks_at_photos()
    }
}
