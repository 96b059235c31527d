//! Files that need no PhotoVault: `<user>/<year>/<name>.<beginning of its hash>.<ending>`, its XMP beside it, and `library.json`.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures::TryStreamExt as _;
use photovault_domain::{Media, Sha256, local_of_seconds};
use photovault_vault::Vault;
use sha2::Digest as _;

use super::xmp;
use crate::list::item_json;

/// Characters of a file's own name at most.
const NAME_CHARACTERS: usize = 100;

/// The folder that is restored to.
pub(super) struct Folder {
    root: PathBuf,
    library: BufWriter<File>,
    /// Originals that were written, whole.
    pub(super) written: u64,
    /// Their bytes.
    pub(super) size_bytes: u64,
    /// Originals that the backup does not have as they were.
    pub(super) damaged: u64,
}

impl Folder {
    /// An empty folder, or a new one.
    pub(super) fn create(root: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let empty = fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))?.next().is_none();
        anyhow::ensure!(empty, "{} is not empty: give a new folder", root.display());
        let library = root.join("library.json");
        let library = File::create(&library).with_context(|| format!("cannot write {}", library.display()))?;
        let mut library = BufWriter::new(library);
        library.write_all(b"[")?;
        Ok(Self { root: root.to_owned(), library, written: 0, size_bytes: 0, damaged: 0 })
    }

    /// Writes an item: its original, hashed on the way, its XMP, and its entry in the library.
    pub(super) async fn write(&mut self, vault: &Vault, media: &Media) -> anyhow::Result<()> {
        let (Some(object), Some(sha256)) = (&media.object, &media.sha256) else { return Ok(()) };
        let relative = place(media, sha256);
        let path = self.root.join(&relative);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let cannot = || format!("cannot write {}", path.display());
        let Some(mut opened) = vault.backups.open(object).await? else {
            self.damaged += 1;
            return Ok(());
        };
        let (mut file, mut hash, mut size_bytes) = (File::create(&path).with_context(cannot)?, sha2::Sha256::new(), 0);
        while let Some(chunk) = opened.body.try_next().await? {
            hash.update(&chunk);
            size_bytes += chunk.len() as u64;
            file.write_all(&chunk).with_context(cannot)?;
        }
        if Sha256::from_digest(hash.finalize().into()) != *sha256 {
            fs::remove_file(&path).with_context(cannot)?;
            self.damaged += 1;
            return Ok(());
        }
        fs::write(path.with_added_extension("xmp"), xmp::packet(media)).with_context(cannot)?;
        let mut entry = item_json(media);
        entry["file"] = relative.to_string_lossy().into();
        self.library.write_all(if self.written == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.library, &entry)?;
        self.written += 1;
        self.size_bytes += size_bytes;
        Ok(())
    }

    /// Ends the library.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.library.write_all(b"\n]\n")?;
        self.library.flush()?;
        Ok(())
    }
}

/// Where an item's original goes. A name is data: of it only letters, digits and a few signs become part of a path.
fn place(media: &Media, sha256: &Sha256) -> PathBuf {
    let base = media.name().rsplit('/').next().unwrap_or_default();
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '_' };
    let base: String = base.chars().map(plain).take(NAME_CHARACTERS).collect();
    let (stem, ending) = base.rsplit_once('.').unwrap_or((&base, "bin"));
    let stem = stem.trim_start_matches('.');
    let year = &local_of_seconds(media.taken().at.0.div_euclid(1000))[..4];
    Path::new(media.user.as_str()).join(year).join(format!("{stem}.{}.{ending}", &sha256.as_str()[..8]))
}

#[cfg(test)]
mod tests {
    use photovault_domain::{MediaId, Upload, UtcMs};

    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let (user, sha256) = ("ann".parse().unwrap(), Sha256::from_digest([0xab; 32]));
        let id = MediaId::of_bytes(&user, &sha256);
        for (name, want) in [
            ("2024/beach.jpg", "ann/1970/beach.abababab.jpg"),
            ("../../etc/passwd", "ann/1970/passwd.abababab.bin"),
            ("..", "ann/1970/.abababab."),
            ("a\\b:c\n.jpg", "ann/1970/a_b_c_.abababab.jpg"),
            ("ünï.JPG", "ann/1970/ünï.abababab.JPG"),
            ("", "ann/1970/.abababab.bin"),
        ] {
            let upload = Upload { name: name.into(), bucket: "b".into(), key: name.into(), version: "1".into(), at: UtcMs(0) };
            let media = Media { uploads: vec![upload], ..Media::new(user.clone(), id.clone(), UtcMs(0)) };
            assert_eq!(place(&media, &sha256), Path::new(want), "{name:?}");
        }
    }
}
