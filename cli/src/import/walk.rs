//! Which files an import is of, in an order that does not depend on the file system, and what each is called in the vault.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// A file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// `<folder>/<relative path>`: its name in the vault.
    pub(crate) name: String,
    /// Bytes.
    pub(crate) size_bytes: u64,
}

/// Every regular file under `paths`, sorted within each. Hidden files, hidden folders and symbolic links are passed
/// over, unless they are named themselves.
pub(crate) fn walk(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).with_context(|| format!("there is no {}", path.display()))?;
        let name = own_name(path);
        if metadata.is_dir() {
            folder(path, &name, &mut found)?;
        } else {
            found.push(Found { path: path.clone(), name, size_bytes: metadata.len() });
        }
    }
    Ok(found)
}

fn folder(path: &Path, name: &str, found: &mut Vec<Found>) -> anyhow::Result<()> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.with_context(|| format!("cannot list the folder {}", path.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let own = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
        if own.starts_with('.') {
            continue;
        }
        let below = if name.is_empty() { own } else { format!("{name}/{own}") };
        if kind.is_dir() {
            folder(&entry.path(), &below, found)?;
        } else if kind.is_file() {
            let size_bytes = entry.metadata().with_context(|| format!("cannot look at {}", entry.path().display()))?.len();
            found.push(Found { path: entry.path(), name: below, size_bytes });
        }
    }
    Ok(())
}

/// What a path is called, whether it is written `photos`, `photos/` or `.`; nothing for the root.
fn own_name(path: &Path) -> String {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    real.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_order_and_hidden_ones_do_not_come() {
        let root = tempfile::tempdir().unwrap();
        let photos = root.path().join("photos");
        for name in ["b/2.jpg", "b/10.jpg", "a.jpg", "ünï cödé + %2B.jpg", ".hidden.jpg", ".git/x.jpg", "b/.DS_Store", "Z.jpg"]
        {
            let path = photos.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), photos.join("loop")).unwrap();
        let names = |paths: &[PathBuf]| walk(paths).unwrap().into_iter().map(|found| found.name).collect::<Vec<_>>();
        assert_eq!(
            names(std::slice::from_ref(&photos)),
            ["photos/Z.jpg", "photos/a.jpg", "photos/b/10.jpg", "photos/b/2.jpg", "photos/ünï cödé + %2B.jpg"]
        );
        assert_eq!(names(&[photos.join("b/2.jpg"), photos.join(".hidden.jpg")]), ["2.jpg", ".hidden.jpg"]);
        assert_eq!(names(&[photos.join("b/.")]), ["b/10.jpg", "b/2.jpg"]);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let error = walk(&[PathBuf::from("/no/such/photo.jpg")]).unwrap_err();
        assert!(error.to_string().contains("/no/such/photo.jpg"), "{error}");
    }
}
