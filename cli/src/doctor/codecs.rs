//! Whether every codec decodes: a picture of sixteen pixels a side, written here in each format that something here can write.

use anyhow::{Context as _, anyhow};
use photovault_domain::{Format, Outputs};
use photovault_media::derive_as;
use photovault_sandbox::{Decoder, Input};

use super::{Check, State, beside};

/// Pixels of the picture's sides.
const SIDE: usize = 16;
/// Nothing here can write these.
const UNWRITTEN: &str = "heic, jxl and raw files: nothing here can write one";

pub(super) fn checks() -> Vec<Check> {
    let made = pictures();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    match (made, Decoder::start()) {
        (Ok(pictures), Ok(decoder)) => {
            for (format, bytes) in pictures {
                match decoded(&decoder, format, &bytes) {
                    Ok(()) => good.push(name(format)),
                    Err(error) => bad.push(format!("{}: {error:#}", name(format))),
                }
            }
        }
        (Err(error), _) => bad.push(format!("the pictures could not be written: {error:#}")),
        (_, Err(error)) => bad.push(format!("no decoder: {error}")),
    }
    let mut checks = vec![if bad.is_empty() {
        Check::good("codecs of photos", format!("decoded {}", good.join(", ")))
    } else {
        Check::new(
            "codecs of photos",
            State::Bad,
            bad.join("; "),
            "this build is broken, or its decoder is not allowed to work: build it anew (`make run`)",
        )
    }];
    checks.push(Check::new("other codecs", State::Skipped, UNWRITTEN, ""));
    checks.push(match beside("video") {
        Some(program) => Check::good("program for videos", program.display().to_string()),
        None => Check::new(
            "program for videos",
            State::Bad,
            "not beside this program",
            "`cargo build --release` makes it; videos fail until then",
        ),
    });
    checks
}

fn decoded(decoder: &Decoder, format: Format, bytes: &[u8]) -> anyhow::Result<()> {
    let input = Input::of(bytes).context("memory for the picture")?;
    let rendered = decoder.derive(&input, format, Outputs::JPEG)?.map_err(|unreadable| anyhow!("{unreadable}"))?;
    let sizes: Vec<_> = rendered.files.iter().map(|file| (file.width as usize, file.height as usize)).collect();
    anyhow::ensure!(!sizes.is_empty() && sizes.iter().all(|size| *size == (SIDE, SIDE)), "it came out as {sizes:?}");
    Ok(())
}

/// The same picture in every format.
fn pictures() -> anyhow::Result<Vec<(Format, Vec<u8>)>> {
    let pixels: Vec<u8> = (0..SIDE * SIDE).flat_map(|at| [(at % SIDE * 16) as u8, (at / SIDE * 16) as u8, 128]).collect();
    let image = turbojpeg::Image {
        pixels: pixels.as_slice(),
        width: SIDE,
        pitch: SIDE * 3,
        height: SIDE,
        format: turbojpeg::PixelFormat::RGB,
    };
    let jpeg = turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x2)?.to_vec();
    // What the vault itself makes of it, in formats that are no derivative of every size.
    let made = derive_as(&jpeg, Format::Jpeg, Outputs { webp: true, avif: true, full: false })?;
    let of = |format: Format| {
        let file =
            made.files.iter().find(|file| file.mime == format.mime()).with_context(|| format!("no {} was made", name(format)))?;
        anyhow::Ok((format, file.bytes.clone()))
    };
    let rest = [
        of(Format::Webp)?,
        of(Format::Avif)?,
        (Format::Bmp, bmp(&pixels)),
        (Format::Tiff, tiff(&pixels)),
        (Format::Png, png(&pixels)),
        (Format::Gif, gif()),
    ];
    Ok([(Format::Jpeg, jpeg.clone())].into_iter().chain(rest).collect())
}

fn name(format: Format) -> &'static str {
    format.mime().rsplit('/').next().unwrap_or_default()
}

/// Windows bitmap, 24 bits, from the bottom line up.
fn bmp(pixels: &[u8]) -> Vec<u8> {
    let word = |number: u32| number.to_le_bytes();
    let size = (54 + pixels.len()) as u32;
    let mut file =
        [b"BM".as_slice(), &word(size), &word(0), &word(54), &word(40), &word(SIDE as u32), &word(SIDE as u32)].concat();
    file.extend([1, 0, 24, 0]);
    file.extend([0_u32, pixels.len() as u32, 2835, 2835, 0, 0].into_iter().flat_map(word));
    for line in pixels.chunks(SIDE * 3).rev() {
        file.extend(line.chunks(3).flat_map(|rgb| [rgb[2], rgb[1], rgb[0]]));
    }
    file
}

/// TIFF 6.0, one strip, not compressed.
fn tiff(pixels: &[u8]) -> Vec<u8> {
    // Tag, type (3: two bytes, 4: four bytes), count, value; three 8s for the bits stand behind the directory.
    let entries: [[u32; 4]; 9] = [
        [256, 3, 1, SIDE as u32],
        [257, 3, 1, SIDE as u32],
        [258, 3, 3, 122],
        [259, 3, 1, 1],
        [262, 3, 1, 2],
        [273, 4, 1, 128],
        [277, 3, 1, 3],
        [278, 3, 1, SIDE as u32],
        [279, 4, 1, pixels.len() as u32],
    ];
    let mut file = b"II*\0\x08\0\0\0\x09\0".to_vec();
    for [tag, kind, count, value] in entries {
        file.extend([(tag as u16).to_le_bytes(), (kind as u16).to_le_bytes()].concat());
        file.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.extend([0, 0, 0, 0, 8, 0, 8, 0, 8, 0]);
    file.extend(pixels);
    file
}

/// PNG, its lines in one stored block of deflate.
fn png(pixels: &[u8]) -> Vec<u8> {
    let lines: Vec<u8> = pixels.chunks(SIDE * 3).flat_map(|line| [&[0], line].concat()).collect();
    let length = lines.len() as u16;
    let mut packed = [&[0x78, 0x01, 1], length.to_le_bytes().as_slice(), &(!length).to_le_bytes(), &lines].concat();
    let (low, high) = lines.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    packed.extend((high << 16 | low).to_be_bytes());
    let side = (SIDE as u32).to_be_bytes();
    let header = [side.as_slice(), &side, &[8, 2, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in [(b"IHDR", header), (b"IDAT", packed), (b"IEND", Vec::new())] {
        let named = [kind.as_slice(), &body].concat();
        file.extend((body.len() as u32).to_be_bytes());
        file.extend(&named);
        file.extend(crc(&named).to_be_bytes());
    }
    file
}

/// CRC-32 of ISO 3309, as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()));
    !bytes.iter().fold(!0, step)
}

/// GIF of one colour: each code is written in three bits, and the table is cleared before it grows.
fn gif() -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    let side = (SIDE as u16).to_le_bytes();
    file.extend([side, side].concat());
    file.extend([0x80, 0, 0, 200, 100, 50, 0, 0, 0]);
    file.push(0x2C);
    file.extend([0, 0, 0, 0]);
    file.extend([side, side].concat());
    file.extend([0, 2]);
    let mut codes = Vec::new();
    for _ in 0..SIDE * SIDE / 2 {
        // 4 clears; then two pixels of colour 0.
        codes.extend([4, 0, 0]);
    }
    codes.push(5);
    let mut bits: Vec<u8> = codes.iter().flat_map(|code: &u8| (0..3).map(move |bit| code >> bit & 1)).collect();
    bits.resize(bits.len().div_ceil(8) * 8, 0);
    let data: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect();
    for block in data.chunks(255) {
        file.push(block.len() as u8);
        file.extend(block);
    }
    file.extend([0, 0x3B]);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_one_that_the_vault_takes() {
        for (format, bytes) in pictures().unwrap() {
            let inspected = photovault_media::inspect(std::io::Cursor::new(&bytes), bytes.len() as u64);
            let inspected = inspected.unwrap_or_else(|refused| panic!("{format:?}: {refused:?}"));
            let side = Some(SIDE as u32);
            assert_eq!((inspected.format, inspected.width, inspected.height), (format, side, side));
            let rendered =
                derive_as(&bytes, format, Outputs::JPEG).unwrap_or_else(|unreadable| panic!("{format:?}: {unreadable}"));
            assert_eq!(rendered.files[0].width as usize, SIDE, "{format:?}");
        }
    }
}
