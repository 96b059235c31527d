//! Moments: runs of photos that belong together in time and place.
//!
//! A moment is what lies between two boundaries of a timeline, so all there is to decide is whether a moment begins at a photo.
//! The rule that the vault lives by ([`GapAndDistance`]) decides it from the photo and the one before it. That makes it incremental by
//! construction: a photo that comes, goes or changes its time changes two boundaries at most, whatever is in the library.

mod edits;
mod measure;
mod rules;
mod timeline;

pub use edits::Edits;
pub use measure::{Score, best_fixed_gap, measure};
pub use rules::{ClippedPhotoToc, FixedGap, GapAndDistance, Parting, Segmenter};
pub use timeline::{Shot, begins, boundaries, rearrange};
