//! The seams over a fabric in memory. Handlers run on it unchanged; it answers as AWS does where a handler can tell the
//! difference: versions of objects, conditional writes, sort order of rows.
//!
//! [`Fabric`] is for tests of single handlers: calls happen at once, with faults by script. [`Simulation`] is for
//! simulations: calls wait until a seeded [`Scheduler`] lets them through, fails them, or lets their worker die.

mod fabric;
mod queue;
mod random;
mod recognition;
mod scheduler;
mod seams;
mod seat;
mod world;

pub use fabric::Fabric;
pub use queue::{Queued, Received, SimulatedQueue};
pub use random::Random;
pub use recognition::{Collection, MODEL, faces_in, labels_in, moderation_in, person_in, text_in};
pub use scheduler::{Due, Rates, Scheduler, Task};
pub use seams::{BACKUP, UPLOADS, VAULT};
pub use seat::Simulation;
pub use world::{Fault, Happening, Record, Sent, Stored, World};
