//! One `SQLite` file for objects, queues and checkpoints; blobs beside it.

mod blobs;
mod schema;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use rusqlite::{Connection, OptionalExtension as _};

pub(crate) use self::blobs::is_referenced;
pub use self::blobs::{BlobName, Blobs, BodyFailed, Incoming};
use self::{schema::PRAGMAS, writer::Writer};

/// Statements that a connection keeps prepared.
const STATEMENTS_CACHED: usize = 128;

/// The engine's durable state.
pub struct Store {
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    database: std::path::PathBuf,
    blobs: Arc<Blobs>,
}

impl Store {
    /// Opens or creates `<data>/engine.db` and `<data>/blobs/`. What a crash left behind among the blobs is swept in the background.
    pub fn open(data: &Path) -> anyhow::Result<Arc<Self>> {
        std::fs::create_dir_all(data).with_context(|| format!("creating the data folder {}", data.display()))?;
        let database = data.join("engine.db");
        let connection = connect(&database)?;
        connection
            .execute_batch(schema::SCHEMA)
            .with_context(|| format!("{}: not a database of this engine; give another --data folder", database.display()))?;
        let blobs = Arc::new(Blobs::open(&data.join("blobs"))?);
        let writer = Writer::start(connection, Arc::clone(&blobs))?;
        let sweeper = (connect(&database)?, Arc::clone(&blobs));
        std::thread::Builder::new().name("engine-sweep".to_owned()).spawn(move || {
            if let Err(error) = sweeper.1.sweep(&sweeper.0) {
                tracing::warn!(error = format!("{error:#}"), "blobs: the sweep of unreferenced blobs stopped");
            }
        })?;
        Ok(Arc::new(Self { writer, readers: Mutex::default(), database, blobs }))
    }

    /// Runs `work` in a transaction shared with other waiting writes; durable when this returns `Ok`.
    pub async fn write<T, F>(&self, work: F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> anyhow::Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Runs `work` on a reading connection. It runs on the caller's thread: keep it to index look-ups and bounded pages, which cost
    /// less than handing them to another thread would.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.database)?,
        };
        let result = work(&connection);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    /// Files of objects and parts.
    pub fn blobs(&self) -> &Arc<Blobs> {
        &self.blobs
    }

    /// A durable place in a stream, by name.
    #[expect(clippy::unused_async, reason = "pairs with set_checkpoint")]
    pub async fn checkpoint(&self, name: &str) -> anyhow::Result<Option<String>> {
        self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT value FROM checkpoints WHERE name = ?1")?;
            Ok(find.query_row([name], |row| row.get(0)).optional()?)
        })
    }

    /// Sets a checkpoint; durable when this returns.
    pub async fn set_checkpoint(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let pair = [name.to_owned(), value.to_owned()];
        self.write(move |connection| {
            connection.prepare_cached("INSERT OR REPLACE INTO checkpoints (name, value) VALUES (?1, ?2)")?.execute(pair)?;
            Ok(())
        })
        .await
    }
}

/// A connection to a database of the engine's, in which what was committed is on the disk.
pub(crate) fn connect(database: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(database).with_context(|| format!("opening {}", database.display()))?;
    connection.execute_batch(PRAGMAS).with_context(|| format!("setting up {}", database.display()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}
