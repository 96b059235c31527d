//! The integration tests: one binary, since every further one links the world again.

mod audit;
mod burst;
mod chain;
mod claims;
mod corpus;
mod delivery;
mod emulator;
mod engine;
mod figures;
mod fixtures;
mod gaps;
mod health;
mod kills;
mod lambda;
mod lint;
mod looks;
mod model;
mod peers;
mod poison;
mod rules;
mod scanner;
mod sidecars;
mod slow;
mod stories;
mod videos;
mod wiring;
