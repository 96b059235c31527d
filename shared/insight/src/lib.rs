//! What the photos tell together: moments, trips, memories, people, duplicates. Pure: no async, no AWS, no codecs, no clock.

pub mod albums;
pub mod bases;
pub mod duplicates;
pub mod events;
pub mod lives;
pub mod moments;
pub mod people;
pub mod random;
pub mod select;
pub mod trips;
pub mod zone;
