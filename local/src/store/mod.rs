//! One SQLite file for objects, queues and checkpoints; blobs beside it.

use std::{path::Path, sync::Arc};

/// The engine's durable state.
pub struct Store;

impl Store {
    /// Opens or creates `<data>/engine.db` and `<data>/blobs/`.
    pub fn open(_data: &Path) -> anyhow::Result<Arc<Self>> {
        todo!()
    }
    /// A durable place in a stream, by name.
    pub async fn checkpoint(&self, _name: &str) -> anyhow::Result<Option<String>> {
        todo!()
    }
    /// Sets a checkpoint; durable when this returns.
    pub async fn set_checkpoint(&self, _name: &str, _value: &str) -> anyhow::Result<()> {
        todo!()
    }
}
