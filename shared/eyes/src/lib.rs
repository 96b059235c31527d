//! What is to be seen on a picture, by neural networks: where faces are, what a classifier of the user's calls it, and what a face looks
//! like to an embedding model of the user's.
//!
//! Networks are ONNX files, run by `rten`.

mod align;
mod embedder;
mod faces;
mod labels;
mod looks;
mod model_file;
mod network;
pub mod specimens;
#[cfg(test)]
mod tests;

pub use embedder::Embedder;
pub use faces::{FaceFinder, SeenFace};
pub use labels::Classifier;
pub use model_file::OpenError;
pub use network::ModelError;
