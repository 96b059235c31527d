//! A file of the user's with a model, and what can be wrong with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::network::ModelError;

/// Bytes of a model at most: ResNet of 152 layers has 240 MB.
const MOST_BYTES: u64 = 512 << 20;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// In plain words.
        why: String,
    },
    /// The model is none, or one that cannot be run here.
    #[error("{path}: {why}")]
    Model {
        /// The model's file.
        path: PathBuf,
        /// What is wrong with it.
        why: ModelError,
    },
    /// There are not as many names as numbers come out.
    #[error("{path}: it has {names} names, and the model tells {numbers} things apart")]
    Names {
        /// The file of names.
        path: PathBuf,
        /// Lines in it.
        names: usize,
        /// What comes out of the model.
        numbers: usize,
    },
}

/// The bytes of a model.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, OpenError> {
    let unreadable = |why: String| OpenError::Unreadable { path: path.to_owned(), why };
    let size = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > MOST_BYTES {
        return Err(unreadable(format!("it has more than {} MB", MOST_BYTES >> 20)));
    }
    fs::read(path).map_err(|error| unreadable(error.to_string()))
}

/// What a network is called: the first eight digits of its file's SHA-256.
pub(crate) fn name_of(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..4])
}
