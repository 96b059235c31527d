//! The library is the same for the same seed, and its files say what its truth says.

use super::*;
use ::exif::{In, Tag, Value};

const SIZE: (u32, u32) = (160, 120);

fn library(seed: u64, photos: usize) -> Vec<(Vec<u8>, TruePhoto)> {
    let noise = Noise::new(seed);
    plan::plan(seed, photos).iter().map(|shot| photo(shot, &noise, SIZE.0, SIZE.1).unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let hashes = |seed| library(seed, 12).into_iter().map(|(_, truth)| truth.sha256).collect::<Vec<_>>();
    assert_eq!(hashes(5), hashes(5));
    assert_ne!(hashes(5), hashes(6));
    let all: std::collections::BTreeSet<_> = hashes(5).into_iter().collect();
    assert_eq!(all.len(), 12, "no two photos are the same, in a burst neither");
}

#[test]
fn files_say_what_the_truth_says() {
    for (file, truth) in library(9, 60) {
        let exif = ::exif::Reader::new().read_from_container(&mut std::io::Cursor::new(&file)).unwrap();
        let text = |tag| {
            exif.get_field(tag, In::PRIMARY).map(|field| match &field.value {
                Value::Ascii(lines) => String::from_utf8(lines[0].clone()).unwrap(),
                other => panic!("{tag} is {other:?}"),
            })
        };
        let whole = |tag| exif.get_field(tag, In::PRIMARY).and_then(|field| field.value.get_uint(0));
        assert_eq!(text(Tag::Make).as_deref(), Some(truth.camera.make));
        assert_eq!(text(Tag::Model).as_deref(), Some(truth.camera.model));
        assert_eq!(text(Tag::DateTimeOriginal).unwrap(), truth.captured.local.replacen('-', ":", 2).replace('T', " "));
        assert_eq!(text(Tag::SubSecTimeOriginal), Some(truth.captured.subsec));
        assert_eq!(text(Tag::OffsetTimeOriginal), truth.captured.offset_in_file.then_some(truth.captured.offset));
        assert_eq!(whole(Tag::Orientation), Some(u32::from(truth.orientation)));
        assert_eq!((whole(Tag::PixelXDimension), whole(Tag::PixelYDimension)), (Some(truth.width), Some(truth.height)));
        let degrees = |tag, reference, negative: &str| {
            let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { panic!("{tag} is not rational") };
            let sum = parts[0].to_f64() + parts[1].to_f64() / 60.0 + parts[2].to_f64() / 3600.0;
            Some(if text(reference)? == negative { -sum } else { sum })
        };
        let read = (degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S"), degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W"));
        match read {
            (Some(latitude), Some(longitude)) => {
                assert!(truth.position_in_file, "{}", truth.path);
                assert!((latitude - truth.latitude).abs() < 1e-7 && (longitude - truth.longitude).abs() < 1e-7, "{}", truth.path);
            }
            _ => assert!(!truth.position_in_file, "{}", truth.path),
        }
    }
}

#[test]
fn a_files_pixels_are_those_that_its_header_says() {
    for (file, truth) in library(2, 9) {
        let header = turbojpeg::read_header(&file).unwrap();
        assert_eq!((header.width as u32, header.height as u32), (truth.width, truth.height));
    }
}

#[test]
fn sizes_are_near_what_was_asked_for() {
    assert_eq!(pixels(Megapixels(12.0)), (4000, 3000));
    assert_eq!(pixels(Megapixels(1.92)), (1600, 1200));
    assert_eq!(pixels(Megapixels(0.000_1)), (16, 16));
}
