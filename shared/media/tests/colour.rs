//! Colours against the standards: for every profile and way of saying it, what an sRGB screen must show is computed here from
//! primaries, white points and transfer functions, and not by the library that converts.

use std::io::Cursor;

use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage};
use moxcms::ColorProfile;
use photovault_domain::Format;
use photovault_media::derive;

/// Chromaticities of red, green, blue and white.
struct Space {
    name: &'static str,
    primaries: [[f64; 2]; 3],
    white: [f64; 2],
    /// To linear light.
    decode: fn(f64) -> f64,
}

const D65: [f64; 2] = [0.3127, 0.3290];
const D50: [f64; 2] = [0.3457, 0.3585];

/// IEC 61966-2-1.
fn srgb_curve(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn srgb_inverse(light: f64) -> f64 {
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

const SRGB: Space = Space { name: "sRGB", primaries: [[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]], white: D65, decode: srgb_curve };
/// SMPTE EG 432-1 with the curve of sRGB, as Apple defines it.
const DISPLAY_P3: Space =
    Space { name: "Display P3", primaries: [[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]], white: D65, decode: srgb_curve };
/// Adobe RGB (1998), version of May 2005.
const ADOBE_RGB: Space = Space {
    name: "Adobe RGB",
    primaries: [[0.64, 0.33], [0.21, 0.71], [0.15, 0.06]],
    white: D65,
    decode: |value| value.powf(563.0 / 256.0),
};
/// ISO 22028-2 (ROMM RGB).
const PRO_PHOTO: Space = Space {
    name: "ProPhoto",
    primaries: [[0.7347, 0.2653], [0.1596, 0.8404], [0.0366, 0.0001]],
    white: D50,
    decode: |value| if value < 1.0 / 32.0 { value / 16.0 } else { value.powf(1.8) },
};
/// ITU-R BT.2020 with the curve of sRGB, which code points 9 and 13 say.
const BT_2020: Space =
    Space { name: "BT.2020", primaries: [[0.708, 0.292], [0.170, 0.797], [0.131, 0.046]], white: D65, decode: srgb_curve };

type Matrix = [[f64; 3]; 3];

fn times(m: &Matrix, v: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|row| (0..3).map(|n| m[row][n] * v[n]).sum())
}

fn inverse(m: &Matrix) -> Matrix {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    std::array::from_fn(|row| std::array::from_fn(|column| minor(column, row) / determinant))
}

fn xyz([x, y]: [f64; 2]) -> [f64; 3] {
    [x / y, 1.0, (1.0 - x - y) / y]
}

/// Linear light of the space to XYZ (SMPTE RP 177).
fn to_xyz(space: &Space) -> Matrix {
    let columns = space.primaries.map(xyz);
    let primaries: Matrix = std::array::from_fn(|row| std::array::from_fn(|column| columns[column][row]));
    let scale = times(&inverse(&primaries), xyz(space.white));
    std::array::from_fn(|row| std::array::from_fn(|column| primaries[row][column] * scale[column]))
}

/// From one white to another by Bradford's cone responses (ICC.1:2010, annex E).
fn adapt(from: [f64; 2], to: [f64; 2], colour: [f64; 3]) -> [f64; 3] {
    const CONES: Matrix = [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];
    let (from, to, cones) = (times(&CONES, xyz(from)), times(&CONES, xyz(to)), times(&CONES, colour));
    times(&inverse(&CONES), std::array::from_fn(|n| cones[n] * to[n] / from[n]))
}

/// What an sRGB screen shows of a colour of the space.
fn on_srgb(space: &Space, colour: [u8; 3]) -> [u8; 3] {
    let light = colour.map(|value| (space.decode)(f64::from(value) / 255.0));
    let seen = adapt(space.white, D65, times(&to_xyz(space), light));
    times(&inverse(&to_xyz(&SRGB)), seen).map(|light| (srgb_inverse(light.clamp(0.0, 1.0)) * 255.0).round() as u8)
}

/// Within sRGB and beyond it, dark and light.
const COLOURS: [[u8; 3]; 8] =
    [[128, 128, 128], [250, 250, 250], [200, 100, 50], [60, 160, 80], [40, 70, 190], [230, 40, 40], [30, 220, 40], [20, 24, 30]];

fn profile_of(space: &Space) -> Vec<u8> {
    let profile = match space.name {
        "Display P3" => ColorProfile::new_display_p3(),
        "Adobe RGB" => ColorProfile::new_adobe_rgb(),
        "ProPhoto" => ColorProfile::new_pro_photo_rgb(),
        _ => ColorProfile::new_srgb(),
    };
    profile.encode().expect("a profile can be written")
}

fn write(mut to: impl ImageEncoder, profile: Option<Vec<u8>>, pixels: &[u8], kind: ExtendedColorType) {
    if let Some(profile) = profile {
        to.set_icc_profile(profile).expect("it takes a profile");
    }
    to.write_image(pixels, 48, 48, kind).expect("it can be written");
}

fn file(colour: [u8; 3], format: Format, profile: Option<Vec<u8>>) -> Vec<u8> {
    let (picture, mut bytes) = (RgbImage::from_pixel(48, 48, Rgb(colour)), Cursor::new(Vec::new()));
    let (pixels, kind) = (picture.as_raw(), ExtendedColorType::Rgb8);
    match format {
        Format::Jpeg => write(image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100), profile, pixels, kind),
        Format::Webp => write(image::codecs::webp::WebPEncoder::new_lossless(&mut bytes), profile, pixels, kind),
        _ => write(image::codecs::png::PngEncoder::new(&mut bytes), profile, pixels, kind),
    }
    bytes.into_inner()
}

/// The colour in the middle of the small derivative.
fn shown(bytes: &[u8], format: Format) -> [u8; 3] {
    let rendered = derive(bytes, format).expect("it is sound");
    assert_eq!(rendered.warnings, [""; 0]);
    let picture = image::load_from_memory(&rendered.files[0].bytes).expect("a derivative is a picture").into_rgb8();
    picture.get_pixel(picture.width() / 2, picture.height() / 2).0
}

#[track_caller]
fn assert_near(found: [u8; 3], wanted: [u8; 3], within: u8, what: &str) {
    let far = found.iter().zip(wanted).any(|(a, b)| a.abs_diff(b) > within);
    assert!(!far, "{what}: {found:?} instead of {wanted:?}");
}

#[test]
fn the_standards_agree_with_published_matrices() {
    // IEC 61966-2-1 gives these to four digits.
    let matrix = to_xyz(&SRGB);
    for (row, want) in [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]].iter().enumerate() {
        assert!(matrix[row].iter().zip(want).all(|(a, b)| (a - b).abs() < 2e-4), "{matrix:?}");
    }
    assert_eq!(on_srgb(&SRGB, [12, 200, 99]), [12, 200, 99]);
}

#[test]
fn profiles_are_converted_as_the_standards_say() {
    for space in [&SRGB, &DISPLAY_P3, &ADOBE_RGB, &PRO_PHOTO] {
        for colour in COLOURS {
            let wanted = on_srgb(space, colour);
            for format in [Format::Png, Format::Jpeg, Format::Webp] {
                let found = shown(&file(colour, format, Some(profile_of(space))), format);
                // JPEG twice, in YCbCr of eight bits, moves a colour by up to three steps.
                assert_near(found, wanted, 4, &format!("{} in {format:?}: {colour:?}", space.name));
            }
        }
    }
}

#[test]
fn code_points_in_a_png_count_before_its_profile() {
    for (space, primaries) in [(&SRGB, 1), (&DISPLAY_P3, 12), (&BT_2020, 9)] {
        for colour in COLOURS {
            let png = file(colour, Format::Png, Some(profile_of(&ADOBE_RGB)));
            let chunk = [b"\0\0\0\x04cICP".as_slice(), &[primaries, 13, 0, 1], &[0; 4]].concat();
            let png = [&png[..33], &chunk, &png[33..]].concat();
            assert_near(shown(&png, Format::Png), on_srgb(space, colour), 4, &format!("{}: {colour:?}", space.name));
        }
    }
}

#[test]
fn grey_with_a_profile_is_grey_of_the_right_brightness() {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(ColorProfile::new_gray_with_gamma(1.0).encode().expect("a profile")).expect("it takes it");
    encoder.write_image(&[55; 48 * 48], 48, 48, ExtendedColorType::L8).expect("it can be written");
    let wanted = (srgb_inverse(55.0 / 255.0) * 255.0).round() as u8;
    assert_near(shown(&bytes.into_inner(), Format::Png), [wanted; 3], 2, "linear grey");
}

#[test]
fn sixteen_bits_are_rounded_and_not_cut() {
    // 0x0AFF of 0xFFFF is nearer to 11 of 255 than to 10.
    for (format, name) in [(ImageFormat::Png, Format::Png), (ImageFormat::Tiff, Format::Tiff)] {
        let deep = image::ImageBuffer::from_pixel(48, 48, Luma([0x0AFF_u16]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(deep).write_to(&mut bytes, format).expect("it can be written");
        assert_near(shown(&bytes.into_inner(), name), [11; 3], 0, &format!("{name:?}"));
    }
}
