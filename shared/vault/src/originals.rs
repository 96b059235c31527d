//! Bytes: uploads come in, originals and derivatives are kept, refused bytes are held in quarantine.

use std::{io::Write, ops::Range, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt as _;
use photovault_domain::{MediaId, Sha256, Stage, UserId, UtcMs, derivative_key, original_key, quarantine_key};

use sha2::Digest as _;

use crate::{
    Mutant, Names, Page, mutated,
    seams::{Listed, ObjectAt, Objects, Opened, SeamError, SeamResult, Served},
};

/// How many old versions of a removed original are looked at.
const MAX_VERSIONS_TRIED: u32 = 20;

/// Objects that one request lists to have them removed.
const REMOVAL_PAGE: u32 = 500;
/// Checkpoints that one request lists.
const CHECKPOINT_PAGE: u32 = 1000;

/// One upload's place: its identity is all three together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRef {
    /// Bucket name.
    pub bucket: String,
    /// Object key, decoded.
    pub key: String,
    /// Object version; empty where the bucket has none.
    pub version: String,
}

/// The vault's buckets.
#[derive(Clone)]
pub struct Originals {
    objects: Arc<dyn Objects>,
    names: Arc<Names>,
}

impl Originals {
    pub(crate) fn new(objects: Arc<dyn Objects>, names: Arc<Names>) -> Self {
        Self { objects, names }
    }

    /// Opens an upload; `None` if it is gone (an earlier delivery of the same event has dealt with it).
    pub async fn open_upload(&self, upload: &UploadRef) -> SeamResult<Option<Opened>> {
        self.objects.open(&upload_at(upload), None).await
    }

    /// Whether an upload is still there: nobody has taken it in.
    pub async fn has_upload(&self, upload: &UploadRef) -> SeamResult<bool> {
        Ok(self.open_upload(upload).await?.is_some())
    }

    /// Stores an upload's bytes for good under their hash, verified by the store; returns the key.
    ///
    /// Idempotent: an original that is there with the right checksum is left alone, and so never changes.
    pub async fn keep(&self, upload: &UploadRef, user: &UserId, sha256: &Sha256, mime: &str) -> SeamResult<String> {
        self.copy_in(upload, original_key(user, sha256), sha256, mime).await
    }

    /// Holds a refused upload's bytes under `quarantine/`; returns the key.
    pub async fn hold(&self, upload: &UploadRef, user: &UserId, sha256: &Sha256) -> SeamResult<String> {
        self.copy_in(upload, quarantine_key(user, sha256), sha256, "application/octet-stream").await
    }

    async fn copy_in(&self, upload: &UploadRef, key: String, sha256: &Sha256, mime: &str) -> SeamResult<String> {
        let to = self.kept(&key);
        if mutated(Mutant::KeptIsUnverified) {
            let served = Served { mime: mime.to_owned(), immutable: true };
            let _ = self.objects.copy(&upload_at(upload), &to, &served).await;
            return Ok(key);
        }
        if self.objects.checksum(&to).await?.as_ref() == Some(sha256) {
            return Ok(key);
        }
        let served = Served { mime: mime.to_owned(), immutable: true };
        let mut from = upload_at(upload);
        if mutated(Mutant::CopyOfNewest) {
            from.version = None;
        }
        let copied = self.objects.copy(&from, &to, &served).await?;
        let asked = || format!("copy of upload {}", upload.key);
        match copied {
            Some(copied) if copied == *sha256 => Ok(key),
            Some(copied) => Err(SeamError {
                asked: asked(),
                answer: format!("the store's copy has SHA-256 {copied}, the upload had {sha256}"),
            }),
            None => Err(SeamError { asked: asked(), answer: "the upload is gone".into() }),
        }
    }

    /// Removes an upload whose bytes are kept.
    pub async fn forget_upload(&self, upload: &UploadRef) -> SeamResult<()> {
        let mut at = upload_at(upload);
        if mutated(Mutant::ForgetsNewest) {
            at.version = None;
        }
        self.objects.remove(&at).await
    }

    /// Reads an object of the vault bucket whole. Stills only: `max_bytes` bounds what is held in memory.
    pub async fn read(&self, key: &str, max_bytes: u64) -> SeamResult<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        Ok(self.take(key, None, max_bytes, &mut bytes).await?.map(|()| bytes))
    }

    /// The same into `sink`.
    pub async fn read_to(&self, key: &str, max_bytes: u64, sink: &mut (impl Write + Send)) -> SeamResult<Option<()>> {
        self.take(key, None, max_bytes, sink).await
    }

    /// Reads some bytes of an object of the vault bucket.
    pub async fn read_range(&self, key: &str, range: Range<u64>) -> SeamResult<Option<Vec<u8>>> {
        let mut bytes = Vec::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        Ok(self.read_range_to(key, range, &mut bytes).await?.map(|()| bytes))
    }

    /// The same into `sink`.
    pub async fn read_range_to(&self, key: &str, range: Range<u64>, sink: &mut (impl Write + Send)) -> SeamResult<Option<()>> {
        let length = range.end - range.start;
        self.take(key, Some(range), length, sink).await
    }

    async fn take(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        max_bytes: u64,
        sink: &mut (impl Write + Send),
    ) -> SeamResult<Option<()>> {
        let failed = |answer: String| SeamError { asked: format!("read of {key}"), answer };
        let Some(mut opened) = self.objects.open(&self.kept(key), range).await? else { return Ok(None) };
        // What a store announces is not what it must send.
        let mut taken_bytes = 0;
        while opened.size_bytes.max(taken_bytes) <= max_bytes {
            let Some(chunk) = opened.body.try_next().await? else { return Ok(Some(())) };
            taken_bytes += chunk.len() as u64;
            sink.write_all(&chunk).map_err(|error| failed(format!("its bytes could not be kept: {error}")))?;
        }
        Err(failed(format!("more than {max_bytes} bytes")))
    }

    /// Stores what `stage` made of an item; returns the key. The same stage and recipe write the same key.
    pub async fn store_derivative(
        &self,
        user: &UserId,
        media: &MediaId,
        stage: Stage,
        name: &str,
        mime: &str,
        bytes: Bytes,
    ) -> SeamResult<String> {
        let key = derivative_key(user, media, &self.names.recipe(stage), name);
        let stored = self.objects.write(&self.kept(&key), bytes, &Served { mime: mime.to_owned(), immutable: true }).await;
        if !mutated(Mutant::StoreErrorIsDone) {
            stored?;
        }
        Ok(key)
    }

    /// Keeps a part of unfinished work under `key`, which [`checkpoint_prefix`](photovault_domain::checkpoint_prefix) begins.
    pub async fn store_checkpoint(&self, key: &str, bytes: Bytes) -> SeamResult<()> {
        let served = Served { mime: "application/octet-stream".to_owned(), immutable: false };
        self.objects.write(&self.kept(key), bytes, &served).await
    }

    /// Keeps what never changes under a key that nobody used before.
    pub(crate) async fn store_piece(&self, key: &str, bytes: Bytes) -> SeamResult<()> {
        let served = Served { mime: "application/octet-stream".to_owned(), immutable: true };
        self.objects.write(&self.kept(key), bytes, &served).await
    }

    /// The checkpoints whose keys begin so, every version of them.
    pub async fn checkpoints(&self, prefix: &str) -> SeamResult<Vec<Listed>> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.objects.versions(&self.names.vault_bucket, prefix, after.as_deref(), CHECKPOINT_PAGE).await?;
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Removes checkpoints for good.
    pub async fn remove_checkpoints(&self, prefix: &str) -> SeamResult<()> {
        for listed in self.checkpoints(prefix).await? {
            self.remove_version(&listed).await?;
        }
        Ok(())
    }

    /// Removes an object of the vault bucket: the bucket's rules say how long its versions can be brought back.
    pub async fn remove(&self, key: &str) -> SeamResult<()> {
        self.objects.remove(&self.kept(key)).await
    }

    /// Removes for good a version that was listed in the vault bucket.
    pub async fn remove_version(&self, listed: &Listed) -> SeamResult<()> {
        let version = Some(listed.version.clone()).filter(|version| !version.is_empty());
        self.objects.remove(&ObjectAt { version, ..self.kept(&listed.key) }).await
    }

    /// Removes all objects of the vault bucket whose keys begin so.
    pub async fn remove_all(&self, prefix: &str) -> SeamResult<()> {
        let mut after: Option<String> = None;
        loop {
            let page = self.kept_after(prefix, after.as_deref(), REMOVAL_PAGE).await?;
            for listed in page.items.iter().filter(|listed| listed.is_latest) {
                self.remove(&listed.key).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The hash of an upload, which is read for it; `None` if it is gone.
    pub async fn hash_upload(&self, upload: &UploadRef) -> SeamResult<Option<Sha256>> {
        let Some(mut opened) = self.open_upload(upload).await? else { return Ok(None) };
        let mut hash = sha2::Sha256::new();
        while let Some(chunk) = opened.body.try_next().await? {
            hash.update(&chunk);
        }
        Ok(Some(Sha256::from_digest(hash.finalize().into())))
    }

    /// Uploads a file as a person would: the store's event starts the pipeline.
    pub async fn upload(&self, key: &str, bytes: Bytes) -> SeamResult<()> {
        let at = ObjectAt { bucket: self.names.uploads_bucket.clone(), key: key.to_owned(), version: None };
        self.objects.write(&at, bytes, &Served { mime: "application/octet-stream".into(), immutable: false }).await
    }

    /// Whether the vault bucket has the bytes of this hash under this key, by the store's own checksum.
    pub async fn holds_bytes(&self, key: &str, sha256: &Sha256) -> SeamResult<bool> {
        Ok(self.objects.checksum(&self.kept(key)).await?.as_ref() == Some(sha256))
    }

    /// Whether the vault bucket has an object under this key.
    pub async fn holds(&self, key: &str) -> SeamResult<bool> {
        Ok(self.objects.open(&self.kept(key), None).await?.is_some())
    }

    /// What the vault bucket keeps behind a place: `/originals/` is before the first original, derivatives come before it.
    pub async fn kept_after(&self, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Listed>> {
        self.objects.versions(&self.names.vault_bucket, prefix, after, limit).await
    }

    /// Uploads that are still in the uploads bucket, with when they came. Few: an upload is removed once its bytes are kept.
    pub async fn waiting_uploads(&self, after: Option<&str>, limit: u32) -> SeamResult<Page<(UploadRef, UtcMs)>> {
        let bucket = &self.names.uploads_bucket;
        let page = self.objects.versions(bucket, "", after, limit).await?;
        let upload =
            |listed: Listed| (UploadRef { bucket: bucket.clone(), key: listed.key, version: listed.version }, listed.modified);
        Ok(Page { items: page.items.into_iter().map(upload).collect(), next: page.next })
    }

    /// Uploads again what the vault bucket keeps under `key`, so that it becomes an item in the way of every upload.
    /// Nothing to do where such an upload waits already.
    pub async fn upload_again(&self, key: &str, upload_key: &str) -> SeamResult<()> {
        let to = ObjectAt { bucket: self.names.uploads_bucket.clone(), key: upload_key.to_owned(), version: None };
        if self.objects.open(&to, None).await?.is_some() {
            return Ok(());
        }
        let served = Served { mime: "application/octet-stream".into(), immutable: false };
        self.objects.copy(&self.kept(key), &to, &served).await.map(|_| ())
    }

    /// Brings an original back that was removed, from an older version that the bucket still has; `false` if it has none.
    pub async fn bring_back(&self, key: &str, sha256: &Sha256, mime: &str) -> SeamResult<bool> {
        let versions = self.objects.versions(&self.names.vault_bucket, key, None, MAX_VERSIONS_TRIED).await?;
        let served = Served { mime: mime.to_owned(), immutable: true };
        for listed in versions.items.into_iter().filter(|listed| listed.key == key && !listed.is_latest) {
            let old = ObjectAt { version: Some(listed.version), ..self.kept(key) };
            if self.objects.checksum(&old).await?.as_ref() == Some(sha256) {
                return Ok(self.objects.copy(&old, &self.kept(key), &served).await?.as_ref() == Some(sha256));
            }
        }
        Ok(false)
    }

    fn kept(&self, key: &str) -> ObjectAt {
        ObjectAt { bucket: self.names.vault_bucket.clone(), key: key.to_owned(), version: None }
    }
}

fn upload_at(upload: &UploadRef) -> ObjectAt {
    let version = Some(upload.version.clone()).filter(|version| !version.is_empty());
    ObjectAt { bucket: upload.bucket.clone(), key: upload.key.clone(), version }
}
