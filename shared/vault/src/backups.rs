//! Backups: a second bucket with originals under the keys that they have in the vault, segments of the catalog, and signed manifests.
//!
//! A manifest is signed with HMAC-SHA-256: whoever can write to the bucket and has not the key cannot make a backup that is taken for one.
//! It names each segment by its hash, and an original's key is its hash, so everything that a restore reads is checked.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use futures::TryStreamExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use photovault_domain::{Line, Manifest, Segment, Sha256, UserId, UtcMs};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::{
    Names,
    rows::{row_of, value_at},
    seams::{Clock, Expect, ObjectAt, Objects, Opened, RowKey, SeamError, SeamResult, Served, Table, Written},
};

const MANIFESTS: &str = "manifests/";
/// Manifests that one request lists.
const PAGE: u32 = 1000;
/// Bytes of a segment or a manifest at most.
const MAX_BYTES: u64 = 256 << 20;

/// How far backups have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupState {
    /// The newest manifest's key.
    #[serde(default)]
    pub newest: Option<String>,
    /// The place in the audit log up to which it tells of what left.
    #[serde(default)]
    pub audited: Option<String>,
    /// The number of each user's latest word about people, or of what to hide, that it has.
    #[serde(default)]
    pub told: BTreeMap<UserId, u64>,
    /// The version of each user's edits that it has.
    #[serde(default)]
    pub edited: BTreeMap<UserId, u64>,
    /// The place in the audit log up to which originals of what left were let go.
    #[serde(default)]
    pub forgotten: Option<String>,
    /// When old backups were last let go.
    #[serde(default)]
    pub thinned: UtcMs,
    /// Counts the writes.
    pub version: u64,
}

/// What became of an original on its way into the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// It was there.
    Already,
    /// It was copied.
    Copied,
    /// The vault does not have it.
    Missing,
    /// The vault has other bytes than its key says.
    Damaged,
}

/// The backup bucket.
#[derive(Clone)]
pub struct Backups {
    objects: Arc<dyn Objects>,
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
    names: Arc<Names>,
}

impl Backups {
    pub(crate) fn new(objects: Arc<dyn Objects>, table: Arc<dyn Table>, clock: Arc<dyn Clock>, names: Arc<Names>) -> Self {
        Self { objects, table, clock, names }
    }

    /// How far backups have come.
    pub async fn state(&self) -> SeamResult<BackupState> {
        Ok(value_at(&*self.table, &state_key()).await?.unwrap_or_default())
    }

    /// Writes it, if nobody has since it was read.
    pub async fn keep_state(&self, state: &mut BackupState) -> SeamResult<Written> {
        let expect = Expect::read(state.version);
        state.version += 1;
        self.table.put(row_of(state, state_key()), expect).await
    }

    /// Copies an original into the backup, unless it is there; the store's hash of the copy must be the one in its key.
    pub async fn save(&self, key: &str, sha256: &Sha256, mime: &str) -> SeamResult<Saved> {
        let (from, to) = (self.in_vault(key), self.at(key)?);
        if self.objects.checksum(&to).await?.as_ref() == Some(sha256) {
            return Ok(Saved::Already);
        }
        match self.objects.copy(&from, &to, &served(mime)).await? {
            Some(copied) if copied == *sha256 => Ok(Saved::Copied),
            Some(_) => {
                self.objects.remove(&to).await?;
                Ok(Saved::Damaged)
            }
            None => Ok(Saved::Missing),
        }
    }

    /// Copies an original back into the vault; `false` if the backup does not have it, or has other bytes.
    pub async fn bring_home(&self, key: &str, sha256: &Sha256, mime: &str) -> SeamResult<bool> {
        let (from, to) = (self.at(key)?, self.in_vault(key));
        // Read before it replaces anything: what the store keeps as its hash was true when it was written.
        if self.hash(key).await?.as_ref().map(|(hash, _)| hash) != Some(sha256) {
            return Ok(false);
        }
        Ok(self.objects.copy(&from, &to, &served(mime)).await?.as_ref() == Some(sha256))
    }

    /// An object of the backup; `None` if it is not there.
    pub async fn open(&self, key: &str) -> SeamResult<Option<Opened>> {
        self.objects.open(&self.at(key)?, None).await
    }

    /// What an object of the backup hashes to, read for it, and its bytes; `None` if it is not there.
    pub async fn hash(&self, key: &str) -> SeamResult<Option<(Sha256, u64)>> {
        hash(self.open(key).await?).await
    }

    /// The same of an object of the vault bucket.
    pub async fn hash_in_vault(&self, key: &str) -> SeamResult<Option<(Sha256, u64)>> {
        hash(self.objects.open(&self.in_vault(key), None).await?).await
    }

    /// Removes an object of the backup, as its bucket's rules allow.
    pub async fn remove(&self, key: &str) -> SeamResult<()> {
        self.objects.remove(&self.at(key)?).await
    }

    /// Writes lines as a segment.
    pub async fn write_segment(&self, lines: &[Line]) -> SeamResult<Segment> {
        let mut text = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut text, line).expect("a line is plain data");
            text.push(b'\n');
        }
        // A random word: two who write at once must not write over each other.
        let key = format!("segments/{}-{:016x}.jsonl", self.clock.now().sort_key(), self.clock.random());
        let sha256 = Sha256::from_digest(sha2::Sha256::digest(&text).into());
        self.objects.write(&self.at(&key)?, Bytes::from(text), &served("application/jsonl")).await?;
        Ok(Segment { key, sha256, lines: lines.len() as u64 })
    }

    /// The lines of a segment, if they are those that the manifest names.
    pub async fn lines(&self, segment: &Segment) -> SeamResult<Vec<Line>> {
        let failed = |answer: String| SeamError { asked: format!("reading of {}", segment.key), answer };
        let text = self.read(&segment.key).await?.ok_or_else(|| failed("it is not there".to_owned()))?;
        if Sha256::from_digest(sha2::Sha256::digest(&text).into()) != segment.sha256 {
            return Err(failed("it has other bytes than the manifest says".to_owned()));
        }
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| failed(error.to_string()))).collect()
    }

    /// Writes a manifest, signed; gives its key.
    pub async fn write_manifest(&self, manifest: &Manifest) -> SeamResult<String> {
        let text = serde_json::to_string(manifest).expect("a manifest is plain data");
        let signature = hex::encode(self.mac(&text)?.finalize().into_bytes());
        let key = format!("{MANIFESTS}{}-{:08x}.json", manifest.made.sort_key(), self.clock.random() as u32);
        let signed = serde_json::to_vec(&Signed { manifest: text, signature }).expect("text in text");
        self.objects.write(&self.at(&key)?, Bytes::from(signed), &served("application/json")).await?;
        Ok(key)
    }

    /// A manifest, if its signature is right.
    pub async fn manifest(&self, key: &str) -> SeamResult<Manifest> {
        let failed = |answer: String| SeamError { asked: format!("reading of {key}"), answer };
        let text = self.read(key).await?.ok_or_else(|| failed("it is not there".to_owned()))?;
        let signed: Signed = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        let signature = hex::decode(&signed.signature).map_err(|error| failed(error.to_string()))?;
        let verified = self.mac(&signed.manifest)?.verify_slice(&signature);
        verified.map_err(|_| failed("its signature is not of this vault's backup key".to_owned()))?;
        serde_json::from_str(&signed.manifest).map_err(|error| failed(error.to_string()))
    }

    /// Every manifest's time and key, oldest first.
    pub async fn manifests(&self) -> SeamResult<Vec<(UtcMs, String)>> {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.objects.versions(&self.at("")?.bucket, MANIFESTS, after.as_deref(), PAGE).await?;
            for listed in page.items.into_iter().filter(|listed| listed.is_latest) {
                let made = listed.key.strip_prefix(MANIFESTS).and_then(|name| name.split('-').next()?.parse().ok());
                found.extend(made.map(|made| (UtcMs(made), listed.key)));
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// The newest backup. The bucket is asked and not the catalog, which may be what was lost.
    pub async fn newest(&self) -> SeamResult<Option<Manifest>> {
        match self.manifests().await?.pop() {
            Some((_, key)) => self.manifest(&key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn read(&self, key: &str) -> SeamResult<Option<Vec<u8>>> {
        let Some(mut opened) = self.open(key).await? else { return Ok(None) };
        let mut text = Vec::new();
        while let Some(chunk) = opened.body.try_next().await? {
            text.extend_from_slice(&chunk);
            if text.len() as u64 > MAX_BYTES {
                return Err(SeamError { asked: format!("reading of {key}"), answer: format!("more than {MAX_BYTES} bytes") });
            }
        }
        Ok(Some(text))
    }

    fn mac(&self, text: &str) -> SeamResult<Hmac<sha2::Sha256>> {
        let key = self.names.backup_key.0.as_bytes();
        if key.is_empty() {
            let answer = "there is no key to sign with (BACKUP_KEY)".to_owned();
            return Err(SeamError { asked: "signing of a manifest".to_owned(), answer });
        }
        let mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        Ok(mac.chain_update(text.as_bytes()))
    }

    fn at(&self, key: &str) -> SeamResult<ObjectAt> {
        let bucket = self.names.backup_bucket.clone();
        if bucket.is_empty() {
            return Err(SeamError {
                asked: format!("backup of {key}"),
                answer: "no backup bucket is named (BACKUP_BUCKET)".to_owned(),
            });
        }
        Ok(ObjectAt { bucket, key: key.to_owned(), version: None })
    }

    fn in_vault(&self, key: &str) -> ObjectAt {
        ObjectAt { bucket: self.names.vault_bucket.clone(), key: key.to_owned(), version: None }
    }
}

/// A manifest as text, and the signature of that text.
#[derive(Serialize, Deserialize)]
struct Signed {
    manifest: String,
    signature: String,
}

async fn hash(opened: Option<Opened>) -> SeamResult<Option<(Sha256, u64)>> {
    let Some(mut opened) = opened else { return Ok(None) };
    let (mut hash, mut size_bytes) = (sha2::Sha256::new(), 0);
    while let Some(chunk) = opened.body.try_next().await? {
        hash.update(&chunk);
        size_bytes += chunk.len() as u64;
    }
    Ok(Some((Sha256::from_digest(hash.finalize().into()), size_bytes)))
}

fn served(mime: &str) -> Served {
    Served { mime: mime.to_owned(), immutable: true }
}

fn state_key() -> RowKey {
    RowKey { pk: "BACKUP".to_owned(), sk: "state".to_owned() }
}
