//! Reads the SAM template of the vault: the same file that `sam deploy` takes.
//!
//! `document` turns YAML with short-form intrinsics into plain JSON, `scope` resolves the intrinsics, `resources` turns the
//! resolved properties into the typed [`Stack`]. What the engine does not know is an error that names it and where it stands.

mod document;
mod events;
mod functions;
mod properties;
mod references;
mod resources;
mod scope;
mod stack;
#[cfg(test)]
mod tests;
mod workers;

pub use resources::{declares, read};
pub use stack::{
    BucketNotification, BucketSpec, EventSource, FunctionSpec, OnFailure, Place, QueueSpec, Redrive, ScheduleSource, SqsSource,
    Stack, StartingPosition, StreamSource, TableSpec, TopicSpec, WorkerSpec,
};
