//! The integration tests: one binary, since every further one links the world again.

mod chain;
mod delivery;
mod fixtures;
mod lint;
mod rules;
mod wiring;
