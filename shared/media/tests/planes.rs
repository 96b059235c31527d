//! JPEG that stays in planes: colours, sides and orientations come out as they do by way of RGB.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use photovault_domain::Format;
use photovault_media::derive;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

const SAMPLINGS: [Subsamp; 6] =
    [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Gray];

/// A JPEG with an orientation in its Exif block.
fn jpeg(picture: &RgbImage, subsamp: Subsamp, orientation: u8) -> Vec<u8> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut compressor = Compressor::new().expect("there is memory");
    compressor.set_quality(97).expect("it is a quality");
    compressor.set_subsamp(subsamp).expect("it is allowed");
    let image = Image { pixels: picture.as_raw().as_slice(), width, pitch: width * 3, height, format: PixelFormat::RGB };
    let bytes = compressor.compress_to_vec(image).expect("the picture can be written");
    let exif = [b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xFF, 0xE1], &length, &exif, &bytes[2..]].concat()
}

/// The derivatives, smallest first.
fn derivatives(bytes: &[u8], format: Format) -> Vec<RgbImage> {
    let rendered = derive(bytes, format).expect("it is sound");
    assert_eq!(rendered.warnings, [""; 0]);
    let picture = |bytes: &[u8]| image::load_from_memory(bytes).expect("a derivative is a picture").into_rgb8();
    rendered.files.iter().map(|file| picture(&file.bytes)).collect()
}

#[test]
fn flat_colours_stay_flat() {
    for subsamp in SAMPLINGS {
        for (size, orientation) in [((1, 1), 6), ((17, 31), 1), ((17, 31), 3), ((31, 17), 8), ((3001, 33), 1), ((333, 2999), 7)] {
            let colour = if subsamp == Subsamp::Gray { [90; 3] } else { [180, 90, 40] };
            let bytes = jpeg(&RgbImage::from_pixel(size.0, size.1, Rgb(colour)), subsamp, orientation);
            let made = derivatives(&bytes, Format::Jpeg).pop().expect("there is a largest");
            let is_near = |pixel: &Rgb<u8>| pixel.0.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 3);
            let far = made.enumerate_pixels().find(|(.., pixel)| !is_near(pixel));
            assert!(far.is_none(), "{subsamp:?} {size:?} turned by {orientation}: {far:?} instead of {colour:?}");
        }
    }
}

/// Colours that move from pixel to pixel.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = |length: f32, of: u32| 128.0 + 90.0 * (of as f32 / length).sin();
        Rgb([wave(331.0, x) as u8, wave(457.0, y) as u8, wave(587.0, x + y) as u8])
    })
}

/// Decibels (peak signal to noise) between two pictures of one size.
fn likeness(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let squares: f64 = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (squares / one.as_raw().len() as f64)).log10()
}

#[test]
fn planes_and_rgb_make_the_same_picture() {
    for (size, orientation) in [((2600, 1733), 1), ((2301, 467), 3), ((701, 467), 6), ((333, 500), 2)] {
        for subsamp in [Subsamp::Sub2x2, Subsamp::Sub2x1, Subsamp::None] {
            let bytes = jpeg(&picture(size.0, size.1), subsamp, orientation);
            // The same pixels without planes, turned by another decoder.
            let decoded = image::load_from_memory(&bytes).expect("it is a picture");
            let mut upright = decoded;
            upright.apply_orientation(image::metadata::Orientation::from_exif(orientation).expect("there is such a one"));
            let mut png = Cursor::new(Vec::new());
            upright.write_to(&mut png, ImageFormat::Png).expect("it can be written");
            let files = derivatives(&bytes, Format::Jpeg).into_iter().zip(derivatives(png.get_ref(), Format::Png));
            for (index, (planes, rgb)) in files.enumerate() {
                let likeness = likeness(&planes, &rgb);
                assert!(likeness > 38.0, "{subsamp:?} {size:?} turned by {orientation}, file {index}: {likeness:.1} dB");
            }
        }
    }
}
