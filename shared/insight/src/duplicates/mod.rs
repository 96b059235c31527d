//! Pictures that are there more than once: found by their hashes, told apart in four tiers, and the best of each group.

mod groups;
mod hashes;
mod segment;
#[cfg(test)]
pub(crate) mod tests;
mod tiers;

pub use groups::{Alike, Group, groups};
pub use hashes::{Hashes, Near};
pub use segment::{IdBytes, Library, Pair, Seen, Segment};
pub use tiers::{COPY_WITHIN, NEAR_WITHIN, Tier, may_be_same_pixels, tier};
