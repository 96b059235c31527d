//! Commands that need no vault.

use std::path::PathBuf;

use clap::Args;
use photovault_insight::lives::Kind;

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
#[command(
    after_help = "Examples:\n  photovault sample\n  photovault sample /tmp/library --photos 200 --seed 7 --size 12mp\n  photovault sample /tmp/life --life traveller --days 90"
)]
pub(crate) struct SampleArguments {
    /// Where to write photos/ and truth.json.
    #[arg(default_value = "sample")]
    pub(crate) dir: PathBuf,
    /// How many photos.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) photos: usize,
    /// Instead, all photos of somebody's days around Freiburg: phone (bursts, and parties over midnight), traveller (road trips too, photos
    /// without a position, screenshots) or family (more phones and a camera, with clocks that are wrong).
    #[arg(long, value_name = "KIND", value_parser = kind, conflicts_with = "photos")]
    pub(crate) life: Option<Kind>,
    /// How many days of it: about twenty photos on each.
    #[arg(long, value_name = "N", default_value_t = 60, requires = "life", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
    /// Another seed is another life.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Megapixels of a photo [default: 1.92, of a life 0.12].
    #[arg(long, value_name = "MP")]
    pub(crate) size: Option<Megapixels>,
    /// The summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("'{text}' is none of phone, traveller, family"))
}
