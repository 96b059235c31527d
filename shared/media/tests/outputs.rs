//! Which files are made: WebP and AVIF beside JPEG, and a full-size JPEG of what browsers cannot show, in the colours that it had.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};
use moxcms::ColorProfile;
use photovault_domain::{Format, Outputs};
use photovault_media::{Rendered, derive_as};

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 90]))
}

fn file(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("the picture can be written");
    bytes.into_inner()
}

fn made(rendered: &Rendered) -> Vec<(&str, &str, u32, u32)> {
    rendered.files.iter().map(|file| (file.name, file.mime, file.width, file.height)).collect()
}

#[test]
fn webp_is_made_where_the_table_says_and_looks_the_same() {
    let jpeg = file(&picture(1500, 900), ImageFormat::Jpeg);
    let rendered = derive_as(&jpeg, Format::Jpeg, Outputs::DEFAULT).expect("it is sound");
    let (jpegs, webp) = ("image/jpeg", "image/webp");
    let wanted =
        [("small", jpegs, 320, 192), ("medium", jpegs, 1024, 614), ("large", jpegs, 1500, 900), ("small", webp, 320, 192)];
    assert_eq!(made(&rendered), wanted, "and nothing full-size of what browsers show");
    let pixels = |at: usize| image::load_from_memory(&rendered.files[at].bytes).expect("it is a picture").into_rgb8();
    let (twin, small) = (pixels(3), pixels(0));
    let error: u64 = twin.as_raw().iter().zip(small.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(error / (small.as_raw().len() as u64) < 3, "{error}");
    let plain = derive_as(&jpeg, Format::Jpeg, Outputs::JPEG).expect("it is sound");
    assert_eq!(plain.files, rendered.files[..3]);
}

#[test]
fn avif_is_made_in_every_size_and_looks_the_same() {
    let grey = image::DynamicImage::from(picture(700, 431)).into_luma8();
    let mut grey_jpeg = Cursor::new(Vec::new());
    grey.write_to(&mut grey_jpeg, ImageFormat::Jpeg).expect("the picture can be written");
    for (bytes, format, sides) in [
        (file(&picture(1500, 900), ImageFormat::Jpeg), Format::Jpeg, [(320, 192), (1024, 614), (1500, 900)]),
        // Not in planes, and of odd sides.
        (file(&picture(1033, 35), ImageFormat::Png), Format::Png, [(320, 11), (1024, 35), (1033, 35)]),
        (grey_jpeg.into_inner(), Format::Jpeg, [(320, 197), (700, 431), (700, 431)]),
        (file(&picture(1, 1), ImageFormat::Png), Format::Png, [(1, 1); 3]),
    ] {
        let rendered = derive_as(&bytes, format, Outputs { avif: true, ..Outputs::JPEG }).expect("it is sound");
        let wanted: Vec<_> = ["small", "medium", "large"]
            .into_iter()
            .zip(sides)
            .map(|(name, (width, height))| (name, "image/avif", width, height))
            .collect();
        assert_eq!(made(&rendered)[3..], wanted);
        for (avif, jpeg) in rendered.files[3..].iter().zip(&rendered.files) {
            // What it shows is seen by libheif, which decodes it to a JPEG file of the same size.
            let seen = derive_as(&avif.bytes, Format::Avif, Outputs::JPEG).expect("it can be read").files.swap_remove(2);
            let pixels = |bytes: &[u8]| image::load_from_memory(bytes).expect("it is a picture").into_rgb8();
            let (seen, wanted) = (pixels(&seen.bytes), pixels(&jpeg.bytes));
            assert_eq!(seen.dimensions(), wanted.dimensions());
            let error: u64 = seen.as_raw().iter().zip(wanted.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert!(error / (seen.as_raw().len() as u64) < 3, "{error} over {:?}", seen.dimensions());
        }
    }
}

/// The bytes of a segment of this kind, all together.
fn segments(jpeg: &[u8], marker: u8, name: &[u8]) -> Vec<u8> {
    let (mut at, mut found) = (2, Vec::new());
    while jpeg[at + 1] != 0xDA {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if let Some(rest) = jpeg[at + 4..at + 2 + length].strip_prefix(name).filter(|_| jpeg[at + 1] == marker) {
            found.extend_from_slice(rest);
        }
        at += 2 + length;
    }
    found
}

#[test]
fn what_browsers_cannot_show_is_made_full_size() {
    let tiff = file(&picture(2500, 1500), ImageFormat::Tiff);
    let rendered = derive_as(&tiff, Format::Tiff, Outputs { full: true, ..Outputs::JPEG }).expect("it is sound");
    assert_eq!(made(&rendered)[3..], [("full", "image/jpeg", 2500, 1500)]);
    let full = image::load_from_memory(&rendered.files[3].bytes).expect("it is a picture").into_rgb8();
    let error: u64 = full.as_raw().iter().zip(picture(2500, 1500).as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(error / (full.as_raw().len() as u64) < 2, "{error}");
    assert!(segments(&rendered.files[3].bytes, 0xE1, b"Exif").is_empty(), "an upright picture says nothing of it");
}

#[test]
fn a_full_size_file_keeps_its_colours_and_says_how_it_is_held() {
    let profile = ColorProfile::new_display_p3().encode().expect("a profile can be written");
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = image::codecs::tiff::TiffEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile.clone()).expect("it takes a profile");
    encoder
        .write_image(RgbImage::from_pixel(64, 32, Rgb([20, 230, 40])).as_raw(), 64, 32, ExtendedColorType::Rgb8)
        .expect("it is written");
    let rendered = derive_as(&bytes.into_inner(), Format::Tiff, Outputs { full: true, ..Outputs::JPEG }).expect("it is sound");
    let full = &rendered.files[3];
    assert_eq!(segments(&full.bytes, 0xE2, b"ICC_PROFILE\0\x01\x01"), profile, "the profile as it was");
    let pixel = |jpeg: &[u8]| image::load_from_memory(jpeg).expect("a picture").into_rgb8().get_pixel(20, 20).0;
    assert!(pixel(&full.bytes)[0].abs_diff(20) < 4, "not converted: {:?}", pixel(&full.bytes));
    assert!(pixel(&rendered.files[0].bytes)[0] < 6, "the others are in sRGB");
}
