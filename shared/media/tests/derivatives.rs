//! Derivatives of generated pictures: upright, in the right colours, no larger than the original, without metadata.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use photovault_domain::{DERIVATIVE_SIZES, Format};
use photovault_media::{Rendered, derive, facts};
use turbojpeg::{Compressor, PixelFormat, Subsamp};

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 30];
const BLUE: [u8; 3] = [30, 30, 220];
const GREY: [u8; 3] = [200, 200, 200];

/// 96 × 64: red and green above, blue and grey below.
fn quarters() -> RgbImage {
    RgbImage::from_fn(96, 64, |x, y| {
        Rgb(match (x < 48, y < 32) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => GREY,
        })
    })
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).expect("the picture can be written");
    bytes.into_inner()
}

/// A JPEG with a segment behind its first marker.
fn with_segment(jpeg: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, body, &jpeg[2..]].concat()
}

/// An Exif block with nothing but an orientation.
fn exif(orientation: u8) -> Vec<u8> {
    [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat()
}

/// Upper left, upper right, lower left, lower right, of the file at `index`.
fn corners(rendered: &Rendered, index: usize) -> [[u8; 3]; 4] {
    let picture = image::load_from_memory(&rendered.files[index].bytes).expect("a derivative is a picture").into_rgb8();
    let (width, height) = picture.dimensions();
    [(8, 8), (width - 8, 8), (8, height - 8), (width - 8, height - 8)].map(|(x, y)| picture.get_pixel(x, y).0)
}

fn assert_near(found: [[u8; 3]; 4], wanted: [[u8; 3]; 4], what: &str) {
    let far = |(found, wanted): (&[u8; 3], &[u8; 3])| found.iter().zip(wanted).any(|(a, b)| a.abs_diff(*b) > 12);
    assert!(!found.iter().zip(&wanted).any(far), "{what}: {found:?} instead of {wanted:?}");
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let jpeg = file(quarters(), ImageFormat::Jpeg);
    let png = file(quarters(), ImageFormat::Png);
    for (orientation, wanted) in [
        (1, [RED, GREEN, BLUE, GREY]),
        (2, [GREEN, RED, GREY, BLUE]),
        (3, [GREY, BLUE, GREEN, RED]),
        (4, [BLUE, GREY, RED, GREEN]),
        (5, [RED, BLUE, GREEN, GREY]),
        (6, [BLUE, RED, GREY, GREEN]),
        (7, [GREY, GREEN, BLUE, RED]),
        (8, [GREEN, GREY, RED, BLUE]),
    ] {
        let block = exif(orientation);
        let turned = with_segment(&jpeg, 0xE1, &[b"Exif\0\0", block.as_slice()].concat());
        assert_eq!(facts(std::io::Cursor::new(&turned), turned.len() as u64, Format::Jpeg).facts.orientation, Some(orientation));
        let chunk = [&(block.len() as u32).to_be_bytes(), b"eXIf".as_slice(), &block, &[0; 4]].concat();
        let turned_png = [&png[..33], &chunk, &png[33..]].concat();
        for (bytes, format) in [(&turned, Format::Jpeg), (&turned_png, Format::Png)] {
            let rendered = derive(bytes, format).expect("it is sound");
            let size = if orientation > 4 { (64, 96) } else { (96, 64) };
            for (index, made) in rendered.files.iter().enumerate() {
                assert_eq!((made.width, made.height), size, "{format:?} {orientation} {}", made.name);
                assert_near(corners(&rendered, index), wanted, &format!("{format:?} with orientation {orientation}"));
            }
        }
    }
}

#[test]
fn sizes_are_those_of_the_table_and_nothing_is_enlarged() {
    for ((width, height), wanted) in [
        ((3000, 2000), [(320, 213), (1024, 683), (2048, 1365)]),
        ((700, 1400), [(160, 320), (512, 1024), (700, 1400)]),
        ((64, 1), [(64, 1), (64, 1), (64, 1)]),
        ((1, 3000), [(1, 320), (1, 1024), (1, 2048)]),
    ] {
        let picture = RgbImage::from_pixel(width, height, Rgb(GREEN));
        for (bytes, format) in [
            (file(picture.clone(), ImageFormat::Jpeg), Format::Jpeg),
            (file(picture.clone(), ImageFormat::Png), Format::Png),
            (file(picture, ImageFormat::Bmp), Format::Bmp),
        ] {
            let rendered = derive(&bytes, format).expect("it is sound");
            let names: Vec<_> = rendered.files.iter().map(|made| made.name).collect();
            assert_eq!(names, DERIVATIVE_SIZES.iter().map(|size| size.name).collect::<Vec<_>>());
            let sizes: Vec<_> = rendered.files.iter().map(|made| (made.width, made.height)).collect();
            assert_eq!(sizes, wanted, "{format:?} of {width} × {height}");
            assert!((4..40).contains(&rendered.thumbhash.len()), "{:?}", rendered.thumbhash);
        }
    }
}

#[test]
fn every_format_keeps_its_colours() {
    let wanted = [RED, GREEN, BLUE, GREY];
    let deep = DynamicImage::from(quarters()).into_rgb16();
    for (bytes, format) in [
        (file(quarters(), ImageFormat::Png), Format::Png),
        (file(deep, ImageFormat::Png), Format::Png),
        (file(quarters(), ImageFormat::WebP), Format::Webp),
        (file(quarters(), ImageFormat::Tiff), Format::Tiff),
        (file(quarters(), ImageFormat::Bmp), Format::Bmp),
        (file(DynamicImage::from(quarters()).into_rgba8(), ImageFormat::Gif), Format::Gif),
    ] {
        assert_near(corners(&derive(&bytes, format).expect("it is sound"), 2), wanted, &format!("{format:?}"));
    }
    let grey = file(DynamicImage::from(quarters()).into_luma8(), ImageFormat::Jpeg);
    let [upper_left, ..] = corners(&derive(&grey, Format::Jpeg).expect("it is sound"), 2);
    assert!(upper_left[0].abs_diff(upper_left[2]) < 3, "a grey picture stays grey: {upper_left:?}");
}

#[test]
fn transparent_parts_are_white() {
    let picture = RgbaImage::from_fn(64, 64, |x, _| if x < 32 { Rgba([0, 0, 0, 0]) } else { Rgba([220, 30, 30, 255]) });
    for (format, name) in [(ImageFormat::Png, Format::Png), (ImageFormat::WebP, Format::Webp), (ImageFormat::Gif, Format::Gif)] {
        let rendered = derive(&file(picture.clone(), format), name).expect("it is sound");
        assert_near(corners(&rendered, 0), [[255; 3], RED, [255; 3], RED], &format!("{name:?}"));
    }
}

#[test]
fn inks_of_adobe_files_are_stored_inverted() {
    // 255 = no ink: cyan's channel empty of ink, magenta and yellow full, no black: red.
    let inks: Vec<u8> = [255, 0, 0, 255].repeat(32 * 32);
    let mut compressor = Compressor::new().expect("there is memory");
    compressor.set_subsamp(Subsamp::None).expect("it is allowed");
    let image = turbojpeg::Image { pixels: inks.as_slice(), width: 32, pitch: 128, height: 32, format: PixelFormat::CMYK };
    let jpeg = compressor.compress_to_vec(image).expect("the picture can be written");
    assert!(jpeg.windows(5).any(|part| part == b"Adobe"));
    let rendered = derive(&jpeg, Format::Jpeg).expect("it is sound");
    assert_near(corners(&rendered, 0), [[255, 0, 0]; 4], "CMYK");
}

#[test]
fn wide_colours_are_converted_and_derivatives_carry_nothing() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().expect("a profile can be written");
    let jpeg = file(quarters(), ImageFormat::Jpeg);
    let wide = with_segment(&jpeg, 0xE2, &[b"ICC_PROFILE\0\x01\x01", profile.as_slice()].concat());
    let wide = with_segment(&wide, 0xE1, &[b"Exif\0\0", exif(1).as_slice()].concat());
    let rendered = derive(&wide, Format::Jpeg).expect("it is sound");
    let [red, green, ..] = corners(&rendered, 0);
    assert!(red[0] > 232 && green[1] > 200 && green[0] < 20, "Display P3's colours lie further out in sRGB: {red:?} {green:?}");
    for made in &rendered.files {
        assert!(!made.bytes.windows(4).any(|part| part == b"Exif" || part == b"ICC_"), "{} carries metadata", made.name);
    }
}

#[test]
fn what_is_cut_off_is_shown_with_a_warning_or_refused_with_a_reason() {
    let noise = RgbImage::from_fn(512, 512, |x, y| {
        let value = (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663)).wrapping_mul(2_654_435_761) >> 24;
        Rgb([value as u8, (value * 7) as u8, (value * 13) as u8])
    });
    let jpeg = file(noise.clone(), ImageFormat::Jpeg);
    let rendered = derive(&jpeg[..jpeg.len() / 2], Format::Jpeg).expect("half of it is there");
    assert!(
        matches!(rendered.warnings.as_slice(), [warning] if warning.contains("% of the picture is missing")),
        "{:?}",
        rendered.warnings
    );
    assert!(derive(&jpeg, Format::Jpeg).expect("it is sound").warnings.is_empty());
    for (bytes, format, words) in [
        (jpeg[..700].to_vec(), Format::Jpeg, "before there is anything to see"),
        (jpeg[..100].to_vec(), Format::Jpeg, "header is incomplete"),
        (file(noise.clone(), ImageFormat::Png)[..5000].to_vec(), Format::Png, "ends early"),
        (file(noise, ImageFormat::Bmp)[..5000].to_vec(), Format::Bmp, "ends early"),
        (b"hello".to_vec(), Format::Gif, "plain text"),
        (Vec::new(), Format::Heic, "empty"),
    ] {
        let reason = derive(&bytes, format).expect_err("there is nothing to see").reason;
        assert!(reason.contains(words), "{format:?}: {reason}");
    }
}

#[test]
fn one_broken_picture_does_not_hurt_the_next() {
    let jpeg = file(quarters(), ImageFormat::Jpeg);
    let tables = jpeg.windows(2).position(|part| part == [0xFF, 0xC4]).expect("it has Huffman tables");
    let mut broken = jpeg.clone();
    broken[tables + 5..tables + 21].fill(0xFF);
    assert!(derive(&broken, Format::Jpeg).is_err());
    assert!(derive(&jpeg, Format::Jpeg).is_ok());
}
