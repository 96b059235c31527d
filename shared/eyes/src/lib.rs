//! What is to be seen on a picture, by neural networks: where faces are, and what a classifier of the user's calls it.
//!
//! Networks are ONNX files, run by `rten`.

mod faces;
mod labels;
mod network;
pub mod specimens;
#[cfg(test)]
mod tests;

pub use faces::{FaceFinder, SeenFace};
pub use labels::{Classifier, ClassifierError};
pub use network::ModelError;

use sha2::{Digest as _, Sha256};

/// What a network is called: the first eight digits of its file's SHA-256.
fn name_of(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..4])
}
