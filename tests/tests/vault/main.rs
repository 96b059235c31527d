//! The integration tests: one binary, since every further one links the world again.

mod chain;
mod corpus;
mod delivery;
mod engine;
mod fixtures;
mod lint;
mod rules;
mod stories;
mod wiring;
