//! Group commit for the catalog: dynoxide commits without waiting for the disk, and writes that finished meanwhile share one fsync of
//! its write-ahead log before any of them is acknowledged. `SQLite` itself syncs around checkpoints in this mode.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use tokio::{sync::Mutex, task::spawn_blocking};

/// The write-ahead log of one database.
pub(super) struct Durable {
    log: PathBuf,
    /// Commits so far.
    committed: AtomicU64,
    /// Of those, how many the disk has.
    synced: Mutex<u64>,
}

impl Durable {
    pub(super) fn of(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), committed: AtomicU64::new(0), synced: Mutex::new(0) }
    }

    /// Returns when the commit that the caller just made is on the disk.
    pub(super) async fn sync(&self) -> anyhow::Result<()> {
        let own = self.committed.fetch_add(1, Ordering::SeqCst) + 1;
        let mut synced = self.synced.lock().await;
        if *synced >= own {
            return Ok(());
        }
        let covered = self.committed.load(Ordering::SeqCst);
        let log = self.log.clone();
        // Opened anew, as SQLite may replace the log. SQLite holds no POSIX locks on this file that closing it could drop.
        spawn_blocking(move || File::open(&log).and_then(|file| file.sync_data()))
            .await?
            .with_context(|| format!("syncing {}", self.log.display()))?;
        *synced = covered;
        Ok(())
    }
}
