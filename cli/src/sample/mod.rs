//! `photovault sample`: a photo library out of nothing, the same for the same seed, with its ground truth beside it.

mod exif;
mod life;
mod megapixels;
mod noise;
mod plan;
mod scene;
mod truth;
mod world;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::Context as _;
use sha2::Digest as _;

pub(crate) use self::megapixels::Megapixels;
use crate::{arguments::SampleArguments, table::counted};
use noise::Noise;
use plan::Shot;
use truth::{TruePhoto, Truth};

/// JPEG quality (libjpeg's scale), as phones use it.
const QUALITY: i32 = 90;

/// Writes the library to `<DIR>/photos` and the truth to `<DIR>/truth.json`.
pub(crate) fn run(arguments: &SampleArguments) -> anyhow::Result<()> {
    let photos = arguments.dir.join("photos");
    let (width, height) = pixels(arguments.size.unwrap_or(Megapixels(if arguments.life.is_some() { 0.12 } else { 1.92 })));
    let shots = match arguments.life {
        Some(kind) => life::shots(kind, arguments.seed, arguments.days),
        None => plan::plan(arguments.seed, arguments.photos),
    };
    let noise = Noise::new(arguments.seed);
    let truth = Truth { seed: arguments.seed, photos: write_all(&photos, &shots, &noise, width, height)? };
    let at = arguments.dir.join("truth.json");
    fs::write(&at, serde_json::to_vec_pretty(&truth)?).with_context(|| format!("cannot write {}", at.display()))?;
    report(arguments, &truth, width, height);
    Ok(())
}

/// One photo's file and what is true of it.
fn photo(shot: &Shot, noise: &Noise, width: u32, height: u32) -> anyhow::Result<(Vec<u8>, TruePhoto)> {
    let (across, down) = if shot.orientation >= 5 { (height, width) } else { (width, height) };
    let upright = scene::paint(&shot.view, noise, across as usize, down as usize);
    let stored = if shot.orientation == 1 { upright } else { scene::store(&upright, shot.orientation) };
    let image = turbojpeg::Image {
        pixels: stored.pixels.as_slice(),
        width: stored.width,
        pitch: stored.width * 3,
        height: stored.height,
        format: turbojpeg::PixelFormat::RGB,
    };
    let jpeg = turbojpeg::compress(image, QUALITY, turbojpeg::Subsamp::Sub2x2).context("cannot encode a sample photo")?;
    let file = exif::insert(&jpeg, shot, width, height);
    let sha256 = hex::encode(sha2::Sha256::digest(&file));
    let truth = TruePhoto::of(shot, width, height, file.len() as u64, sha256);
    Ok((file, truth))
}

fn write_all(photos: &Path, shots: &[Shot], noise: &Noise, width: u32, height: u32) -> anyhow::Result<Vec<TruePhoto>> {
    let next = AtomicUsize::new(0);
    let work = || -> anyhow::Result<Vec<(usize, TruePhoto)>> {
        let mut done = Vec::new();
        while let Some(shot) = shots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (file, truth) = photo(shot, noise, width, height)?;
            write(&photos.join(&shot.path), &file)?;
            done.push((shot.number, truth));
        }
        Ok(done)
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("painting a sample photo panicked"))?)
            .collect::<anyhow::Result<Vec<_>>>()
    })?
    .concat();
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, truth)| truth).collect())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a photo lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// Width and height, 4:3, in steps of 8 pixels.
fn pixels(size: Megapixels) -> (u32, u32) {
    let unit = (size.0 * 1e6 / 12.0).sqrt() / 8.0;
    let pixels_of = |parts: f64| (((unit * parts).round() as u32) * 8).max(16);
    (pixels_of(4.0), pixels_of(3.0))
}

fn report(arguments: &SampleArguments, truth: &Truth, width: u32, height: u32) {
    let bytes: u64 = truth.photos.iter().map(|photo| photo.size_bytes).sum();
    let dir = arguments.dir.display();
    let distinct = |key: fn(&TruePhoto) -> Option<&String>| {
        truth.photos.iter().filter_map(key).collect::<std::collections::BTreeSet<_>>().len()
    };
    let (moments, trips) = (distinct(|photo| Some(&photo.moment)), distinct(|photo| photo.trip.as_ref()));
    let bursts = distinct(|photo| photo.burst.as_ref());
    if arguments.json {
        let summary = serde_json::json!({
            "photos": truth.photos.len(), "bytes": bytes, "width": width, "height": height, "moments": moments,
            "trips": trips, "bursts": bursts, "folder": arguments.dir.join("photos"), "truth": arguments.dir.join("truth.json"),
        });
        println!("{summary}");
        return;
    }
    println!(
        "{} of {width} × {height} in {dir}/photos: {}, {}, {}, {:.1} MB.",
        counted(truth.photos.len(), "photo"),
        counted(moments, "moment"),
        counted(trips, "trip"),
        counted(bursts, "burst"),
        bytes as f64 / 1e6
    );
    println!("What is true of them is in {dir}/truth.json.\nNext: photovault import '{dir}/photos'");
}

#[cfg(test)]
mod tests;
