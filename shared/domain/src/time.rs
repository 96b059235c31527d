//! Instants: milliseconds since 1970-01-01T00:00:00Z. Reading the clock is somebody else's work.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UtcMs(pub i64);

impl UtcMs {
    /// Milliseconds from `earlier` to `self`, 0 if the clocks disagree.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// As it stands in sort keys: 13 digits, so that text order is time order.
    pub fn sort_key(self) -> String {
        format!("{:013}", self.0.max(0))
    }
}
