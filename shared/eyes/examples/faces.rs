//! How well faces are found, and how fast: `cargo run --release -p photovault-eyes --example faces -- CORPUS`.
//!
//! The faces were counted by looking at the pictures. Which of the faces were found is told by their number.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use image::{Rgb, RgbImage, imageops};
use photovault_eyes::FaceFinder;

/// Pictures of the corpus with faces, by the end of their path.
const FACES: &[(&str, usize)] = &[
    ("Images/faces.jpg", 6),
    ("Images/objects.jpg", 1),
    ("images/detection1.jpg", 1),
    ("images/detection2.jpg", 1),
    ("images/detection3.jpg", 1),
    ("images/detection4.jpg", 3),
    ("images/detection5.jpg", 3),
    ("images/detection6.jpg", 2),
    ("images/identification1.jpg", 4),
    ("images/man2-person-group.jpg", 1),
    ("images/test-image-person-group.jpg", 2),
    ("images/woman1-person-group.jpg", 1),
    ("2.sm.webp", 1),
    ("camera.png", 1),
    ("exif-with-interop-subdir-R98.jpg", 1),
    ("exif-with-nested-exif.jpg", 1),
    ("hopper.jpg", 1),
    ("hopper_gray.jpg", 1),
    ("issue-exifr-41-Error_Segment_Unreachable.jpg", 1),
    ("issue-fast-exif-2.jpg", 3),
    ("jfif-component-id-out-of-range.jpg", 1),
    ("no-jfif-ycbcr.jpg", 1),
    ("warning-embedded-color-profile-invalid-ignored-cmyk.jpg", 1),
];
/// Portraits of one person each: how small a face may be is tried on them.
const PORTRAITS: &str = "Face/images/Family";
/// Left out: paintings, and people as small as a letter; those that hang upside down until Exif is heeded; and photos on which nobody
/// has counted, whose names have spaces.
const DOUBTFUL: &[&str] = &[
    " ",
    "video-001.",
    "hopper.webp",
    "Thailand.jpg",
    "hat.",
    "hopper_orientation_",
    "jfif-16bit-dqt",
    "progressive-negative-component-count",
    "/expected/",
];
const SCORES: [f32; 4] = [0.5, 0.6, 0.7, 0.8];

fn main() {
    let Some(corpus) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("name the folder of the corpus");
        std::process::exit(2);
    };
    let finder = FaceFinder::built_in().expect("the model is whole");
    let mut pictures = Vec::new();
    collect(&corpus, &mut pictures);
    pictures.sort();
    let pictures: Vec<(String, RgbImage)> = pictures.into_iter().filter_map(opened).collect();
    let faces: usize = pictures.iter().map(|(path, _)| truth(path)).sum();
    let with = pictures.iter().filter(|(path, _)| truth(path) > 0).count();
    println!("{faces} faces on {with} pictures, and {} without any\n", pictures.len() - with);
    println!("| looked at in pixels | score | found | too many, on how many pictures |\n|---|---|---|---|");
    for sides in [&[640][..], &[1_024], &[1_024, 320], &[1_600, 320]] {
        let seen: Vec<(usize, Vec<f32>)> = pictures
            .iter()
            .map(|(path, picture)| {
                let faces = finder.find_at(picture, sides, SCORES[0]).expect("it is run");
                (truth(path), faces.into_iter().map(|face| face.score).collect())
            })
            .collect();
        for score in SCORES {
            let counts = seen.iter().map(|(truth, scores)| (truth, scores.iter().filter(|one| **one >= score).count()));
            let found: usize = counts.clone().map(|(truth, seen)| seen.min(*truth)).sum();
            let many: Vec<usize> = counts.map(|(truth, seen)| seen.saturating_sub(*truth)).filter(|many| *many > 0).collect();
            println!("| {sides:?} | {score} | {found} of {faces} | {} on {} |", many.iter().sum::<usize>(), many.len());
        }
    }
    by_size(&finder, &pictures);
    let picture = RgbImage::from_fn(2_048, 1_536, |x, y| Rgb([(x >> 3) as u8, (y >> 3) as u8, (x ^ y) as u8]));
    let once = || {
        let began = Instant::now();
        finder.find(&picture).expect("it is run");
        began.elapsed().as_millis()
    };
    println!("\n{:?} ms for a picture of 2048×1536, the least of ten", (0..10).map(|_| once()).min());
}

/// How many of the portraits are seen with a face of so many pixels on a picture of 2,048.
fn by_size(finder: &FaceFinder, pictures: &[(String, RgbImage)]) {
    println!("\n| pixels of a face's width on 2,048 | found |\n|---|---|");
    let portraits: Vec<&RgbImage> = pictures.iter().filter(|(path, _)| path.contains(PORTRAITS)).map(|it| &it.1).collect();
    for size in [80, 60, 50, 40, 30, 24, 20, 16] {
        let found = portraits.iter().filter(|portrait| {
            let Some(face) = finder.find(portrait).expect("it is run").first().copied() else { return false };
            let factor = size as f32 / (face.area[2] * portrait.width() as f32);
            let sides = [portrait.width(), portrait.height()].map(|side| (side as f32 * factor) as u32);
            let small = imageops::resize(**portrait, sides[0], sides[1], imageops::FilterType::Triangle);
            let mut picture = RgbImage::from_pixel(2_048, 1_536, Rgb([120, 130, 125]));
            imageops::replace(&mut picture, &small, 1_000, 700);
            finder.find(&picture).expect("it is run").len() == 1
        });
        println!("| {size} | {} of {} |", found.count(), portraits.len());
    }
}

fn truth(path: &str) -> usize {
    let listed = FACES.iter().find(|(end, _)| path.ends_with(end)).map(|(_, count)| *count);
    listed.unwrap_or(usize::from(path.contains(PORTRAITS)))
}

fn collect(folder: &Path, pictures: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, pictures);
        } else if path.extension().and_then(OsStr::to_str).is_some_and(|it| ["jpg", "jpeg", "png", "webp"].contains(&it)) {
            pictures.push(path);
        }
    }
}

/// Those of 4 kB and more that are pictures; many of the corpus are none, or hostile.
fn opened(path: PathBuf) -> Option<(String, RgbImage)> {
    let name = path.to_str()?.to_owned();
    if fs::metadata(&path).ok()?.len() < 4_096 || DOUBTFUL.iter().any(|doubtful| name.contains(doubtful)) {
        return None;
    }
    let picture = image::open(path).ok()?.into_rgb8();
    let longest = picture.width().max(picture.height());
    if longest <= 2_048 {
        return Some((name, picture));
    }
    let side = |side: u32| (side * 2_048 / longest).max(1);
    Some((name, imageops::thumbnail(&picture, side(picture.width()), side(picture.height()))))
}
