//! One engine a folder: the lock, and `engine.json`, by which the command finds the engine.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::{
    Engine,
    credentials::{backup_key, write_private},
};
use crate::gateway::REGION;

/// Variables of functions on which recipes hang, and by which channels are tried.
const CHOICES: &[&str] = &[
    "DERIVATIVES",
    "RENDITION",
    "RENDITION_LINES",
    "RENDITION_KBPS",
    "RECOGNITION",
    "RECOGNITION_TEXT",
    "RECOGNITION_MODERATION",
    "MAIL_FROM",
    "SMTP",
    "PRIVATE_CHANNELS",
];

/// The data folder, ours alone.
pub(super) struct Lock {
    data: PathBuf,
    /// The kernel lets go of the lock when the process ends, however it does.
    _file: File,
}

impl Lock {
    pub(super) fn take(data: &Path) -> Result<Self> {
        fs::create_dir_all(data).with_context(|| format!("creating the data folder {}", data.display()))?;
        let path = data.join("engine.lock");
        let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { data: data.to_owned(), _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("another engine is running on {}: end it, or give another --data folder", data.display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
        }
    }

    /// Writes `engine.json`.
    pub(super) fn announce(&self, engine: &Engine) -> Result<()> {
        let stack = engine.stack();
        let bucket = |id: &str| stack.buckets.iter().find(|it| it.logical_id == id).map(|it| it.name.as_str());
        let prefix = "photovault-";
        let short = |name: &'_ str| -> String {
            let name = name.strip_prefix(prefix).unwrap_or(name);
            name.strip_suffix(".fifo").unwrap_or(name).to_owned()
        };
        let queues: BTreeMap<_, _> = stack.queues.iter().map(|it| (short(&it.name), &it.url)).collect();
        let choices: BTreeMap<_, _> = stack
            .functions
            .iter()
            .flat_map(|function| &function.environment)
            .filter(|(name, _)| CHOICES.contains(&name.as_str()))
            .collect();
        let text = json!({
            "endpoint": engine.endpoint(),
            "access_key": engine.credentials().access_key,
            "secret_key": engine.credentials().secret_key,
            "region": REGION,
            "uploads_bucket": bucket("UploadsBucket").unwrap_or_default(),
            "vault_bucket": bucket("VaultBucket").unwrap_or_default(),
            "backup_bucket": bucket("BackupBucket").unwrap_or_default(),
            "backup_key": backup_key(&self.data)?,
            "table": stack.tables.iter().find(|it| it.logical_id == "Catalog").map_or("", |it| &it.name),
            "queues": queues,
            "choices": choices,
            "pid": std::process::id(),
        });
        write_private(&self.path(), &format!("{text:#}\n"))
    }

    /// Removes it.
    pub(super) fn retract(&self) {
        if let Err(error) = fs::remove_file(self.path()) {
            tracing::warn!(file = %self.path().display(), %error, "the file could not be removed");
        }
    }

    fn path(&self) -> PathBuf {
        self.data.join("engine.json")
    }
}
