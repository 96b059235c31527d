//! The project's own files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold no source of ours.
const SKIPPED_FOLDERS: &[&str] = &["target", "node_modules", "vault-data"];

/// The project's root folder: of the checkout that is tested, which need not be the one that these tests were compiled in.
pub fn root() -> PathBuf {
    // Cargo runs the tests of a package in its folder.
    let package = std::env::current_dir().expect("a working folder");
    package.parent().expect("the package lies in the project").to_owned()
}

/// A file's text; `path` is relative to the root.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file under the root whose name ends in `suffix`, relative to the root, sorted.
pub fn files(suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root(), suffix, &mut found);
    found.sort();
    found.into_iter().map(|path| path.strip_prefix(root()).expect("walked from the root").to_owned()).collect()
}

fn walk(folder: &Path, suffix: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !SKIPPED_FOLDERS.contains(&name.as_str()) {
                walk(&path, suffix, found);
            }
        } else if name.ends_with(suffix) {
            found.push(path);
        }
    }
}
