//! The seams over a fabric in memory: deterministic, one clock that tests move, and faults by script.
//!
//! Handlers run on it unchanged. It answers as AWS does where a handler can tell the difference: versions of objects,
//! conditional writes, sort order of rows.

mod fabric;
mod world;

pub use fabric::{Fabric, UPLOADS, VAULT};
pub use world::{Fault, Record, Sent, Stored, World};
