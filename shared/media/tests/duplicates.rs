//! Whether copies are found by their hash and only they, and whether of a burst the best is kept: on painted pictures and on photos of the corpus (`PHOTOVAULT_CORPUS`). The
//! threshold was chosen on the seeds below 1000, which are not among those here.

use std::{fs, path::PathBuf};

use image::{DynamicImage, Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops::FilterType};
use photovault_domain::{Format, PHash, UtcMs};
use photovault_insight::{
    duplicates::COPY_WITHIN,
    select::{Candidate, best_of},
};
use photovault_media::{Sniffed, derive, sniff};

/// Painted pictures that are compared with each other, and how many of them are copied.
const SEEDS: std::ops::Range<u64> = 1_000..1_300;
const COPIED: usize = 40;
/// Photos of the corpus larger than this are left out: decoding them takes most of the time.
const MAX_CORPUS_BYTES: usize = 200_000;

/// What is done to a copy.
type Copying = (&'static str, fn(&RgbImage) -> Vec<u8>);

const COPYINGS: [Copying; 6] = [
    ("quality 40", |picture| jpeg(picture, 40)),
    ("320 pixels wide, quality 75", |picture| jpeg(&resized(picture, 320), 75)),
    ("160 pixels wide, quality 75", |picture| jpeg(&resized(picture, 160), 75)),
    ("1 % cut off", |picture| jpeg(&cropped(picture, 0.01), 90)),
    ("2 % cut off, quality 60", |picture| jpeg(&cropped(picture, 0.02), 60)),
    ("3 % cut off", |picture| jpeg(&cropped(picture, 0.03), 90)),
];

#[test]
fn copies_are_found_and_others_are_not() {
    let painted: Vec<RgbImage> = SEEDS.map(paint).collect();
    let photos = photos();
    println!(
        "{} painted pictures and {} photos of the corpus; a copy differs in {COPY_WITHIN} bits at most",
        painted.len(),
        photos.len()
    );
    let hashes: Vec<PHash> = painted.iter().chain(&photos).map(|picture| hash(&jpeg(picture, 90))).collect();
    let (mut found, mut copies) = (0, 0);
    for (kind, pictures, originals) in
        [("painted", &painted[..COPIED], &hashes[..]), ("corpus", &photos, &hashes[painted.len()..])]
    {
        for (what, copy) in COPYINGS {
            let mut distances: Vec<u32> =
                pictures.iter().zip(originals).map(|(picture, original)| hash(&copy(picture)).distance(*original)).collect();
            distances.sort_unstable();
            let within = distances.iter().filter(|distance| **distance <= COPY_WITHIN).count();
            (found, copies) = (found + within, copies + distances.len());
            if let (Some(middle), Some(most)) = (distances.get(distances.len() / 2), distances.last()) {
                println!("  {kind}, {what}: {within} of {} found, {middle} bits in the middle, {most} at most", distances.len());
            }
        }
    }
    let mut others: Vec<u32> = Vec::new();
    for (place, one) in hashes.iter().enumerate() {
        others.extend(hashes[..place].iter().map(|other| one.distance(*other)));
    }
    others.sort_unstable();
    let wrong = others.iter().filter(|distance| **distance <= COPY_WITHIN).count();
    println!("  {found} of {copies} copies; {wrong} of {} other pairs, the nearest of them {} bits", others.len(), others[wrong]);
    assert!(found as f64 >= 0.99 * copies as f64, "{found} of {copies} copies");
    assert!(wrong as f64 <= 1e-4 * others.len() as f64, "{wrong} of {} other pairs", others.len());
}

#[test]
fn of_blurred_and_dark_frames_the_sharp_one_is_kept() {
    let mut kept = 0;
    for seed in 2_000..2_024 {
        let picture = paint(seed);
        let dark = DynamicImage::ImageRgb8(picture.clone()).brighten(-70).to_rgb8();
        let mut frames = [image::imageops::blur(&picture, 0.8), picture.clone(), image::imageops::blur(&picture, 2.0), dark];
        frames.rotate_left(seed as usize % 4);
        let sharp = frames.iter().position(|frame| *frame == picture).expect("it is among them");
        let candidates: Vec<Candidate> = frames.iter().map(|frame| candidate(&jpeg(frame, 90))).collect();
        kept += usize::from(best_of(&candidates, &[0, 1, 2, 3]) == sharp);
    }
    println!("the sharp and well exposed frame of four was kept {kept} times of 24");
    assert!(kept >= 23, "{kept} of 24");
}

fn candidate(file: &[u8]) -> Candidate {
    Candidate {
        at: UtcMs(0),
        look: derive(file, Format::Jpeg).expect("it was just written").look,
        pixels: 172_800,
        faces: None,
        rating: 0,
        is_screenshot: false,
        is_archived: false,
        burst: None,
        part: 0,
        day: 0,
        people: Vec::new(),
        place: None,
    }
}

fn hash(file: &[u8]) -> PHash {
    derive(file, Format::Jpeg).expect("it was just written").look.phash
}

fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).expect("it fits into memory");
    bytes
}

fn resized(picture: &RgbImage, longest: u32) -> RgbImage {
    DynamicImage::ImageRgb8(picture.clone()).resize(longest, longest, FilterType::Triangle).to_rgb8()
}

/// With this part of its width and of its height cut off, a little more on the right than on the left.
fn cropped(picture: &RgbImage, part: f32) -> RgbImage {
    let cut = |length: u32| (length as f32 * part).round() as u32;
    let (across, down) = (cut(picture.width()), cut(picture.height()));
    image::imageops::crop_imm(picture, across / 3, down / 2, picture.width() - across, picture.height() - down).to_image()
}

/// Real photos, as large as a screen shows them.
#[expect(clippy::disallowed_methods, reason = "where the corpus lies is an argument of this test")]
fn photos() -> Vec<RgbImage> {
    let Some(corpus) = std::env::var_os("PHOTOVAULT_CORPUS").map(PathBuf::from) else {
        println!("without photos: PHOTOVAULT_CORPUS does not say where the corpus is");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> =
        fs::read_dir(corpus.join("mdx-images/jpg")).expect("the corpus").flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| photo(&fs::read(file).expect("corpus files can be read"))).collect()
}

/// `None` of what is too large, too small or too plain to have a hash that means something.
fn photo(bytes: &[u8]) -> Option<RgbImage> {
    let Sniffed::Media(Format::Jpeg) = sniff(&bytes[..bytes.len().min(4096)]) else { return None };
    let rendered = (bytes.len() <= MAX_CORPUS_BYTES).then(|| derive(bytes, Format::Jpeg).ok())??;
    let medium = image::load_from_memory(&rendered.files[1].bytes).expect("a derivative is a JPEG").to_rgb8();
    (rendered.look.phash_quality >= 50 && medium.width().max(medium.height()) >= 400).then_some(medium)
}

/// A wall of two colours with shadows, shapes in front of it, and grain.
fn paint(seed: u64) -> RgbImage {
    const SIZE: (u32, u32) = (480, 360);
    const CELLS: usize = 20;
    let mut random = Random(seed);
    let (top, bottom) = (random.colour(), random.colour());
    let mut shape = || {
        let place = [random.between(0.0, 1.3), random.between(0.0, 1.0)];
        (random.colour(), [place[0], place[1], random.between(0.02, 0.3), random.between(0.02, 0.3)])
    };
    let shapes: Vec<_> = (0..4 + seed % 14).map(|_| shape()).collect();
    let shadows: Vec<f32> = (0..CELLS * CELLS).map(|_| random.between(-60.0, 60.0)).collect();
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        let (u, v) = (x as f32 / SIZE.1 as f32, y as f32 / SIZE.1 as f32);
        let shadow = smooth(&shadows, CELLS, u * 11.0, v * 11.0);
        let covers = |place: &&([f32; 3], [f32; 4])| {
            let (_, [left, upper, width, height]) = **place;
            let (across, down) = ((u - left) / width, (v - upper) / height);
            if left * 8.0 % 2.0 < 1.0 { across.abs().max(down.abs()) < 1.0 } else { across * across + down * down < 1.0 }
        };
        let wall = |channel: usize| top[channel] * (1.0 - v) + bottom[channel] * v + shadow;
        let front = shapes.iter().rev().find(covers);
        let speckle = (random.bits() >> 60) as f32 - 7.5;
        let value = |channel: usize| front.map_or_else(|| wall(channel), |(colour, _)| colour[channel] + shadow * 0.4) + speckle;
        Rgb(std::array::from_fn(|channel| value(channel).clamp(0.0, 255.0) as u8))
    })
}

/// Between the values of the four cells around a place.
fn smooth(values: &[f32], cells: usize, x: f32, y: f32) -> f32 {
    let (left, upper) = (x as usize % (cells - 1), y as usize % (cells - 1));
    let row = |y: usize| values[y * cells + left] * (1.0 - x.fract()) + values[y * cells + left + 1] * x.fract();
    row(upper) * (1.0 - y.fract()) + row(upper + 1) * y.fract()
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.bits() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn colour(&mut self) -> [f32; 3] {
        std::array::from_fn(|_| self.between(0.0, 255.0))
    }
}
