//! Deterministic simulation of the vault: one thread and one seed drive the real handlers, the real batch runners and the
//! real `next_stages` over a fabric that duplicates, reorders, redelivers, loses acknowledgements, fails before and after
//! its effects, delays, and lets workers die; after every step the vault's promises are held against what happened.
//!
//! A history is its seed: the same seed gives the same history, to the letter. Only codecs are replaced ([`stand_ins`]).

mod deliver;
mod events;
mod history;
mod people;
mod promises;
mod schedules;
mod settings;
mod shrink;
mod stand_ins;
mod stream;
mod workload;

/// A third of a history's time goes to small allocations; this allocator (MIT) halves it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use history::{Options, Outcome, Violation, run};
pub use promises::PROMISES;
pub use settings::{HEALTH, QUEUES, QueueSettings, STREAM, ScheduleSettings, StreamSettings};
pub use shrink::{Short, shrink};
