//! The data folder's own key pair, made at random once.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{auth::Credentials, runtime::random_hex};

/// Reads `<data>/credentials.json`, or makes it, readable by its owner only.
pub(super) fn credentials(data: &Path) -> Result<Credentials> {
    let path = data.join("credentials.json");
    if let Ok(text) = fs::read_to_string(&path) {
        let stored: Value = serde_json::from_str(&text).unwrap_or_default();
        let field = |name: &str| {
            let value = stored[name].as_str().filter(|it| !it.is_empty()).map(str::to_owned);
            value.with_context(|| format!("{}: has no {name}; remove the file to get a new key pair", path.display()))
        };
        return Ok(Credentials { access_key: field("access_key")?, secret_key: field("secret_key")? });
    }
    let made = Credentials { access_key: format!("AKPV{}", random_hex(8)?.to_uppercase()), secret_key: random_hex(20)? };
    let text = json!({ "access_key": made.access_key, "secret_key": made.secret_key });
    write_private(&path, &format!("{text:#}\n"))?;
    Ok(made)
}

/// The template's parameter for the key that backups are signed with.
pub(super) const BACKUP_KEY: &str = "BackupKey";

/// Reads `<data>/backup.key`, or makes it. Who loses it can still read a backup, and not tell any more whether it is genuine.
pub(super) fn backup_key(data: &Path) -> Result<String> {
    let path = data.join("backup.key");
    if let Ok(text) = fs::read_to_string(&path) {
        return Ok(text.trim().to_owned());
    }
    let made = random_hex(32)?;
    write_private(&path, &format!("{made}\n"))?;
    Ok(made)
}

/// Writes a file that only its owner can read: whole, or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    let temporary = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}
