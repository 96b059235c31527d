//! Blobs: files with names of our own (never a client's key), each written once.
//!
//! A body goes to `blobs/tmp`, is hashed on the way, checked, synced and only then renamed to its name; its row follows. A crash leaves
//! at worst a file that no row names, and the sweep at the next open removes it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use rusqlite::Connection;
use s3s::checksum::ChecksumHasher;
use tokio::task::spawn_blocking;

use crate::clock::{now_ms, thread_cpu_ns};

/// A body is handed to the disk in pieces of this size.
const PIECE_BYTES: usize = 256 * 1024;

/// A blob's name: creation time in milliseconds and a number of this process, in hex.
pub type BlobName = String;

/// The sender's side failed: the body broke off, or did not have the signature or length it was announced with.
#[derive(Debug, thiserror::Error)]
#[error("the request's body: {0}")]
pub struct BodyFailed(String);

/// The folder of blobs.
pub struct Blobs {
    root: PathBuf,
    opened_ms: i64,
    next: AtomicU64,
    /// Folders with names that the disk may not have yet.
    unsynced: Mutex<BTreeSet<PathBuf>>,
    /// CPU spent on checksums.
    hash_ns: Arc<AtomicU64>,
}

/// A body that has arrived whole and has no name yet; dropped, it is gone.
pub struct Incoming {
    temporary: PathBuf,
    file: Option<File>,
    /// Bytes in all.
    pub size_bytes: u64,
    hasher: ChecksumHasher,
    md5: Option<s3s::crypto::Md5>,
    kept: bool,
    hash_ns: Arc<AtomicU64>,
}

impl Blobs {
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let temporary = root.join("tmp");
        // Whatever is in tmp belonged to a process that is gone: the data folder has one engine.
        if temporary.exists() {
            std::fs::remove_dir_all(&temporary).with_context(|| format!("clearing {}", temporary.display()))?;
        }
        std::fs::create_dir_all(&temporary).with_context(|| format!("creating {}", temporary.display()))?;
        Ok(Self {
            root: root.to_owned(),
            opened_ms: now_ms(),
            next: AtomicU64::new(0),
            unsynced: Mutex::default(),
            hash_ns: Arc::default(),
        })
    }

    /// CPU nanoseconds that this process spent on the checksums of bodies.
    pub fn hash_ns(&self) -> u64 {
        self.hash_ns.load(Ordering::Relaxed)
    }

    /// Where a blob lies. Blobs of the same hour or so share a folder, so that their names share an fsync.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name.get(..7).unwrap_or("0")).join(name)
    }

    /// Drains `body` into a temporary file, computing SHA-256 and what `hasher` and `md5` ask for.
    pub async fn receive<S, E>(&self, body: S, mut hasher: ChecksumHasher, md5: bool) -> anyhow::Result<Incoming>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        hasher.sha256.get_or_insert_with(<s3s::crypto::Sha256 as s3s::crypto::Checksum>::new);
        let temporary = self.root.join("tmp").join(self.new_name());
        let md5 = md5.then(<s3s::crypto::Md5 as s3s::crypto::Checksum>::new);
        let mut incoming =
            Incoming { temporary, file: None, size_bytes: 0, hasher, md5, kept: false, hash_ns: Arc::clone(&self.hash_ns) };
        let mut body = std::pin::pin!(body);
        let (mut pieces, mut waiting_bytes) = (Vec::new(), 0);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| BodyFailed(error.to_string()))?;
            waiting_bytes += chunk.len();
            pieces.push(chunk);
            if waiting_bytes >= PIECE_BYTES {
                incoming.append(&std::mem::take(&mut pieces))?;
                waiting_bytes = 0;
            }
        }
        incoming.append(&pieces)?;
        Ok(incoming)
    }

    /// Writes the blobs `names` one after another into a new one, as completing a multipart upload does.
    pub async fn join(&self, names: Vec<BlobName>, hasher: ChecksumHasher) -> anyhow::Result<Incoming> {
        let paths: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        let (pieces, arriving) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(2);
        let reader = spawn_blocking(move || {
            for path in paths {
                let mut file = match File::open(&path) {
                    Ok(file) => file,
                    Err(error) => return drop(pieces.blocking_send(Err(error))),
                };
                loop {
                    let mut piece = Vec::with_capacity(PIECE_BYTES);
                    match std::io::Read::read_to_end(&mut std::io::Read::take(&mut file, PIECE_BYTES as u64), &mut piece) {
                        Ok(0) => break,
                        Ok(_) if pieces.blocking_send(Ok(piece.into())).is_err() => return,
                        Ok(_) => {}
                        Err(error) => return drop(pieces.blocking_send(Err(error))),
                    }
                }
            }
        });
        let stream = futures::stream::unfold(arriving, async |mut arriving| arriving.recv().await.map(|piece| (piece, arriving)));
        let joined = self.receive(stream, hasher, false).await;
        reader.await?;
        joined
    }

    /// Makes a checked body durable under a name of its own; the row that names it comes next.
    pub async fn keep(&self, incoming: Incoming) -> anyhow::Result<BlobName> {
        let name = self.new_name();
        let path = self.path(&name);
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        let moved = folder.clone();
        spawn_blocking(move || incoming.settle(&moved, &path))
            .await?
            .with_context(|| format!("storing a blob in {}: is the disk full?", folder.display()))?;
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).insert(folder);
        Ok(name)
    }

    /// Makes the names of kept blobs durable; the writer calls it before each commit.
    pub(super) fn sync_names(&self) -> anyhow::Result<()> {
        let folders = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in folders {
            File::open(&folder).and_then(|opened| opened.sync_all()).with_context(|| format!("syncing {}", folder.display()))?;
        }
        Ok(())
    }

    /// Removes the files of blobs that no row names any more.
    pub fn remove(&self, names: &[BlobName]) {
        for name in names {
            let path = self.path(name);
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "blobs: an unreferenced blob stays until the next sweep");
            }
        }
    }

    /// Removes blobs from before this open that no row names. A blob without a row never gets one again, so this may run beside requests.
    pub(super) fn sweep(&self, connection: &Connection) -> anyhow::Result<()> {
        for folder in std::fs::read_dir(&self.root)? {
            let folder = folder?;
            if folder.file_name() == "tmp" || !folder.file_type()?.is_dir() {
                continue;
            }
            for blob in std::fs::read_dir(folder.path())? {
                let name = blob?.file_name().to_string_lossy().into_owned();
                let created_ms = i64::from_str_radix(name.get(..12).unwrap_or_default(), 16).unwrap_or(i64::MAX);
                if created_ms < self.opened_ms && !is_referenced(connection, &name)? {
                    self.remove(&[name]);
                }
            }
        }
        Ok(())
    }

    fn new_name(&self) -> BlobName {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // The time part never runs behind the open, even if the clock is set back: names stay unique across restarts.
        format!("{:012x}{:08x}{number:08x}", now_ms().max(self.opened_ms), std::process::id())
    }
}

/// Whether a row names this blob; inside a transaction, the answer holds for it.
pub(crate) fn is_referenced(connection: &Connection, blob: &str) -> anyhow::Result<bool> {
    let mut find = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM objects WHERE blob = ?1) OR EXISTS (SELECT 1 FROM parts WHERE blob = ?1)",
    )?;
    Ok(find.query_row([blob], |row| row.get(0))?)
}

impl Incoming {
    /// Checksums of the body in base64 (SHA-256 always) and its MD5 in base64 if asked for. Ask once.
    pub fn checksums(&mut self) -> (s3s::dto::Checksum, Option<String>) {
        use base64::Engine as _;
        let md5 =
            self.md5.take().map(|md5| base64::engine::general_purpose::STANDARD.encode(s3s::crypto::Checksum::finalize(md5)));
        (std::mem::take(&mut self.hasher).finalize(), md5)
    }

    fn settle(mut self, folder: &Path, path: &Path) -> std::io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_data()?;
        }
        if !folder.is_dir() {
            std::fs::create_dir_all(folder)?;
            File::open(folder.parent().unwrap_or(folder))?.sync_all()?;
        }
        std::fs::rename(&self.temporary, path)?;
        self.kept = true;
        Ok(())
    }

    /// Writes and hashes where the body arrives: a piece costs less than a millisecond, and only syncing waits for the disk.
    fn append(&mut self, pieces: &[Bytes]) -> anyhow::Result<()> {
        self.write(pieces).context("writing a body to the data folder's blobs/tmp: is the disk full?")
    }

    fn write(&mut self, pieces: &[Bytes]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create_new(&self.temporary)?),
        };
        for piece in pieces {
            file.write_all(piece)?;
            let before = thread_cpu_ns();
            self.hasher.update(piece);
            if let Some(md5) = &mut self.md5 {
                s3s::crypto::Checksum::update(md5, piece);
            }
            self.hash_ns.fetch_add(thread_cpu_ns().saturating_sub(before), Ordering::Relaxed);
            self.size_bytes += piece.len() as u64;
        }
        Ok(())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}
