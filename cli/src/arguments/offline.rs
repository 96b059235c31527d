//! Commands that need no vault.

use std::path::PathBuf;

use clap::Args;

use crate::sample::Megapixels;

/// Print what files say of themselves: kind, size, capture time, camera, position. Needs no vault.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault facts IMG_0001.jpg\n  photovault facts --json *.jpg")]
pub(crate) struct FactsArguments {
    /// Files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object a file and line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Generate a photo library with Exif, positions, bursts and trips, and its ground truth as JSON.
///
/// The same seed and size give the same files, byte for byte.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault sample\n  photovault sample /tmp/library --photos 200 --seed 7 --size 12mp")]
pub(crate) struct SampleArguments {
    /// Where to write photos/ and truth.json.
    #[arg(default_value = "sample")]
    pub(crate) dir: PathBuf,
    /// How many photos.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) photos: usize,
    /// Another seed is another life.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Megapixels of a photo.
    #[arg(long, value_name = "MP", default_value = "1.92")]
    pub(crate) size: Megapixels,
    /// The summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
