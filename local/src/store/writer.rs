//! Group commit: one thread owns the writing connection, and writes that wait together share one transaction and one fsync.

use std::sync::{Arc, mpsc};

use anyhow::{Context as _, anyhow};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::blobs::Blobs;

/// Writes per transaction: bounds what one failed commit takes with it.
const GROUP_MAX: usize = 128;

/// The writing side of the store; ends when the last handle is dropped.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

/// Runs inside the transaction; its reply is called once the commit's outcome is known.
type Job = Box<dyn FnOnce(&Connection) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Result<(), String>) + Send>;

impl Writer {
    pub(super) fn start(connection: Connection, blobs: Arc<Blobs>) -> anyhow::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("engine-writer".to_owned())
            .spawn(move || run(&connection, &waiting, &blobs))
            .context("starting the engine's writer thread")?;
        Ok(Self { jobs })
    }

    /// Runs `work` in a transaction; durable when this returns `Ok`. An `Err` of `work` undoes its own writes only.
    pub(super) async fn write<T, F>(&self, work: F) -> anyhow::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> anyhow::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = in_savepoint(connection, work);
            Box::new(move |committed: Result<(), String>| {
                let result = committed.map_err(|error| anyhow!("the engine's database refused a commit: {error}")).and(result);
                // A caller that went away needs no answer; its write stands.
                let _ = answer.send(result);
            })
        });
        self.jobs.send(job).map_err(|_| anyhow!("the engine's writer has stopped"))?;
        answered.await.map_err(|_| anyhow!("the engine's writer stopped before it answered"))?
    }
}

fn run(connection: &Connection, waiting: &mpsc::Receiver<Job>, blobs: &Blobs) {
    while let Ok(first) = waiting.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let mut replies = vec![first(connection)];
        while replies.len() < GROUP_MAX {
            let Ok(next) = waiting.try_recv() else { break };
            replies.push(next(connection));
        }
        let committed = begun
            .map_err(anyhow::Error::from)
            // Names of blobs reach the disk before the rows that name them.
            .and_then(|()| blobs.sync_names())
            .and_then(|()| connection.execute_batch("COMMIT").map_err(anyhow::Error::from))
            .map_err(|error| format!("{error:#}"));
        if let Err(error) = &committed {
            tracing::error!(error, "engine.db: commit failed, its writes are undone");
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
        for reply in replies {
            reply(committed.clone());
        }
    }
}

fn in_savepoint<T>(connection: &Connection, work: impl FnOnce(&Connection) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let run = |sql| connection.prepare_cached(sql)?.execute([]);
    run("SAVEPOINT job")?;
    let result = work(connection);
    if result.is_err() {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")?;
    result
}
