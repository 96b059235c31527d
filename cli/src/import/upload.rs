//! Sends files: each is read once, hashed, and sent unless the vault has its bytes. XMP files and the photos beside them are sent unless the
//! vault has them by that name: they know each other by their names, and many such files have the same bytes.

use std::{collections::HashSet, path::Path};

use anyhow::Context as _;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use photovault_domain::{Media, MediaId, Sha256, UploadKey, UserId, beside, limits::MAX_UPLOAD_BYTES, stem};
use sha2::Digest as _;
use tokio::sync::mpsc::UnboundedSender;

use super::{link::Link, report::Progress, walk::Found};

/// Files up to this size are held in memory between hashing and sending; larger ones are read twice and streamed.
const HELD_BYTES: u64 = 16 * 1024 * 1024;
/// What S3 allows a key to have.
const MAX_KEY_BYTES: usize = 1024;

/// How one file's upload ended.
pub(crate) struct Uploaded {
    /// Which file, by its place in the walk.
    pub(crate) index: usize,
    /// How.
    pub(crate) fate: Fate,
}

/// What became of a file on its way to the vault.
pub(crate) enum Fate {
    /// It is in the vault's hands.
    Sent(MediaId),
    /// The vault knew its bytes, or another file of this import has the same.
    Known(MediaId, Option<Box<Media>>),
    /// It cannot be sent, and never will be.
    Refused(String),
    /// It could not be read, or the vault stopped answering.
    Broken(String),
}

/// Sends all files, so many at once, and tells `done` of each.
pub(crate) async fn upload_all(
    link: &Link,
    user: &UserId,
    files: &[Found],
    parallel: usize,
    done: UnboundedSender<Uploaded>,
    progress: &Progress,
) {
    let sidecars: HashSet<&str> =
        files.iter().filter(|it| beside(&it.name) != it.name).map(|it| stem(beside(&it.name))).collect();
    let by_name = |found: &Found| sidecars.contains(stem(beside(&found.name)));
    let mut claimed = HashSet::new();
    // Hashing keeps the order of the walk, so that of two files with the same bytes always the first is sent.
    stream::iter(files.iter().enumerate())
        .map(|(index, found)| async move { (index, found, hashed(found, user).await) })
        .buffered(parallel)
        .map(|(index, found, hashed)| {
            let name = by_name(found).then_some(found.name.as_str());
            let is_first = hashed.as_ref().is_ok_and(|hashed| claimed.insert((hashed.id.clone(), name)));
            (index, found, hashed, is_first, name)
        })
        .for_each_concurrent(parallel, |(index, found, hashed, is_first, name)| {
            let done = done.clone();
            async move {
                let fate = match hashed {
                    Ok(hashed) if is_first => send(link, user, found, hashed, name).await,
                    Ok(hashed) => Fate::Known(hashed.id, None),
                    Err(error) => Fate::Broken(format!("{error:#}")),
                };
                progress.sent(found.size_bytes);
                // The receiver leaves only when it has given up.
                let _ = done.send(Uploaded { index, fate });
            }
        })
        .await;
}

struct Hashed {
    id: MediaId,
    bytes: Option<Bytes>,
}

async fn hashed(found: &Found, user: &UserId) -> anyhow::Result<Hashed> {
    let (path, size_bytes) = (found.path.clone(), found.size_bytes);
    let read = tokio::task::spawn_blocking(move || read(&path, size_bytes)).await.context("reading the file panicked")?;
    let (sha256, bytes) = read.with_context(|| format!("cannot read {}", found.path.display()))?;
    Ok(Hashed { id: MediaId::of_bytes(user, &sha256), bytes })
}

fn read(path: &Path, size_bytes: u64) -> std::io::Result<(Sha256, Option<Bytes>)> {
    if size_bytes <= HELD_BYTES {
        let bytes = std::fs::read(path)?;
        return Ok((Sha256::from_digest(sha2::Sha256::digest(&bytes).into()), Some(bytes.into())));
    }
    let mut file = std::fs::File::open(path)?;
    let mut hash = sha2::Sha256::new();
    let mut part = vec![0; 1024 * 1024];
    loop {
        match std::io::Read::read(&mut file, &mut part)? {
            0 => return Ok((Sha256::from_digest(hash.finalize().into()), None)),
            length => hash.update(&part[..length]),
        }
    }
}

/// With a `name`, what the vault has only by other names is sent.
async fn send(link: &Link, user: &UserId, found: &Found, hashed: Hashed, name: Option<&str>) -> Fate {
    let key = UploadKey { user: user.clone(), name: found.name.clone() }.object_key();
    if key.len() > MAX_KEY_BYTES {
        return Fate::Refused(format!(
            "its path has {} bytes, more than the {MAX_KEY_BYTES} that S3 allows: shorten it",
            key.len()
        ));
    }
    if found.size_bytes > MAX_UPLOAD_BYTES {
        return Fate::Refused(format!("the file has {} bytes, more than the {MAX_UPLOAD_BYTES} of one upload", found.size_bytes));
    }
    let (id, key, bytes) = (&hashed.id, &key, &hashed.bytes);
    // Each attempt asks first: the one before may have arrived although its answer did not.
    let attempt = link.ask(found.size_bytes, |reached| async move {
        let vault = &reached.vault;
        let is_there = |media: &Media| name.is_none_or(|name| media.uploads.iter().any(|upload| upload.name == name));
        if let Some(media) = vault.catalog.media(user, id).await?.filter(is_there) {
            return Ok(Some(media));
        }
        match bytes {
            Some(bytes) => vault.originals.upload(key, bytes.clone()).await?,
            None => drop(reached.connection.upload_file(&vault.names.uploads_bucket, key, &found.path).await?),
        }
        Ok(None)
    });
    match attempt.await {
        Ok(None) => Fate::Sent(hashed.id),
        Ok(Some(media)) => Fate::Known(hashed.id, Some(Box::new(media))),
        Err(error) => Fate::Broken(format!("{error:#}")),
    }
}
