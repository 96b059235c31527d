//! Decides whether an upload is taken: from its first bytes and its headers, never from pixels.

use std::{
    io::{Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use photovault_domain::{
    Format, Kind, Refusal,
    limits::{MAX_PHOTO_BYTES, MAX_PIXELS, MAX_SIDE, MAX_UPLOAD_BYTES},
};

use crate::{
    container::{Damage, Source, avi, bmff, gif, heif, jpeg, jxl, matroska, movie, png, raw, tiff, u16_le, u32_le, webp},
    cpu::counted,
    sniff::{SNIFF_BYTES, Sniffed, is_playlist, sniff},
};

/// What an accepted file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// Told from its bytes.
    pub format: Format,
    /// Pixels as stored, before orientation; of photos.
    pub width: Option<u32>,
    /// Pixels as stored, before orientation; of photos.
    pub height: Option<u32>,
}

/// Why a file is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Rejected: not something that the vault takes. Quarantined: says that it is a photo or video, and is damaged or dangerous.
    pub refusal: Refusal,
    /// What it says that it is, where that is known.
    pub format: Option<Format>,
    /// A sentence for the owner.
    pub reason: String,
}

/// Reads type and size from a file's headers and holds them against `photovault_domain::limits`.
///
/// # Errors
/// [`Refused`], with the limit named where one is exceeded.
pub fn inspect<R: Read + Seek>(file: R, size_bytes: u64) -> Result<Inspected, Refused> {
    // The parsers are safe code over foreign bytes: what their authors did not think of must not bring the message again.
    counted(|| catch_unwind(AssertUnwindSafe(|| inspect_file(file, size_bytes)))).unwrap_or_else(|_| {
        let reason = "This file is damaged: its header cannot be read.".to_owned();
        Err(Refused { refusal: Refusal::Quarantined, format: None, reason })
    })
}

fn inspect_file<R: Read + Seek>(file: R, size_bytes: u64) -> Result<Inspected, Refused> {
    let mut source = Source::new(file, size_bytes);
    let head = source.up_to(0, SNIFF_BYTES).map_err(|damage| damaged(None, &damage))?.to_vec();
    match sniff(&head) {
        Sniffed::Media(Format::Tiff) => {
            let format = raw::format_of_tiff(&mut source).unwrap_or(Format::Tiff);
            inspect_media(&mut source, format)
        }
        Sniffed::Media(format) => inspect_media(&mut source, format),
        Sniffed::Other(_) if is_playlist(&head) => Err(Refused {
            refusal: Refusal::Quarantined,
            format: None,
            reason: "This is a playlist, not a video: opening it would fetch the addresses that it lists.".to_owned(),
        }),
        Sniffed::Other(what) => Err(rejected(None, format!("This is {what}, not a photo or video that the vault takes."))),
    }
}

fn inspect_media<R: Read + Seek>(source: &mut Source<R>, format: Format) -> Result<Inspected, Refused> {
    let (kind, limit) = match format.kind() {
        Kind::Photo => ("photo", MAX_PHOTO_BYTES),
        Kind::Video => ("video", MAX_UPLOAD_BYTES),
    };
    let size_bytes = source.size_bytes();
    if size_bytes > limit {
        return Err(rejected(Some(format), format!("This {kind} has {size_bytes} bytes; the limit for a {kind} is {limit}.")));
    }
    let size = match format {
        Format::Jpeg => jpeg::header(source).map(|header| Some((header.width, header.height))),
        Format::Png => png::size(source).map(Some),
        Format::Webp => webp::size(source).map(Some),
        Format::Gif => gif::size(source).map(Some),
        Format::Bmp => bmp_size(source).map(Some),
        Format::Tiff => tiff::first_directory(source).map(|directory| Some((directory.width, directory.height))),
        Format::Heic | Format::Avif => heif_size(source).map(Some),
        Format::Jxl => jxl::size(source).map(Some),
        format if format.is_raw() => raw::read(source, format).map(|raw| Some(raw.size)),
        _ => Ok(None),
    };
    let size = size.map_err(|damage| damaged(Some(format), &damage))?;
    if let Some((width, height)) = size {
        check_size(format, width, height)?;
    }
    // Only a picture of a size that is taken is looked at further.
    let within_limits = match format {
        Format::Jpeg => jpeg::header(source).and_then(|header| header.check_scans(source)),
        Format::Png => png::check(source),
        Format::Webp => webp::check(source),
        Format::Gif => gif::check(source),
        Format::Tiff => tiff::check(source),
        Format::Mp4 | Format::Mov => movie::check(source),
        Format::Mkv | Format::Webm => matroska::check(source),
        Format::Avi => avi::check(source),
        _ => Ok(()),
    };
    within_limits.map_err(|damage| damaged(Some(format), &damage))?;
    Ok(Inspected { format, width: size.map(|(width, _)| width), height: size.map(|(_, height)| height) })
}

fn check_size(format: Format, width: u32, height: u32) -> Result<(), Refused> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        let damage = Damage::Broken(format!("its header says that the picture is {width} × {height} pixels"));
        return Err(damaged(Some(format), &damage));
    }
    let longest = width.max(height);
    if longest > MAX_SIDE {
        let reason = format!("This picture is {width} × {height} pixels; the limit for one side is {MAX_SIDE} pixels.");
        return Err(rejected(Some(format), reason));
    }
    if pixels > MAX_PIXELS {
        let reason = format!("This picture is {width} × {height} = {pixels} pixels; the limit is {MAX_PIXELS} pixels.");
        return Err(rejected(Some(format), reason));
    }
    Ok(())
}

fn bmp_size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let Ok(head) = source.exact(14, 12) else { return Err(Damage::new("its BMP header is cut off")) };
    if u32_le(head, 0) == Some(12) {
        let side = |at| u16_le(head, at).map_or(0, u32::from);
        return Ok((side(4), side(6)));
    }
    // A negative height means that the rows go from top to bottom.
    let side = |at| u32_le(head, at).unwrap_or(0).cast_signed();
    match side(4) {
        width @ 0.. => Ok((width.unsigned_abs(), side(8).unsigned_abs())),
        width => Err(Damage::Broken(format!("its header says that the picture is {width} pixels wide"))),
    }
}

fn heif_size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let description = bmff::description(source)?;
    heif::check(source, &description)?;
    bmff::Meta::of(&description).size.ok_or_else(|| Damage::new("it does not say how large its picture is"))
}

fn rejected(format: Option<Format>, reason: String) -> Refused {
    Refused { refusal: Refusal::Rejected, format, reason }
}

fn damaged(format: Option<Format>, damage: &Damage) -> Refused {
    let what = match format.map(Format::kind) {
        Some(Kind::Photo) => "photo",
        Some(Kind::Video) => "video",
        None => "file",
    };
    match damage {
        Damage::Broken(words) => {
            Refused { refusal: Refusal::Quarantined, format, reason: format!("This {what} is damaged: {words}.") }
        }
        Damage::Exceeds(words) => rejected(format, format!("This {what} {words}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> Result<Inspected, Refused> {
        inspect(std::io::Cursor::new(bytes), bytes.len() as u64)
    }

    fn gif(width: u16, height: u16) -> Vec<u8> {
        [b"GIF89a", &width.to_le_bytes()[..], &height.to_le_bytes(), &[0; 3]].concat()
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat()
    }

    #[test]
    fn sizes_come_from_headers() {
        let bmp =
            |height: i32| [b"BM", &[0; 12][..], &40_u32.to_le_bytes(), &7_i32.to_le_bytes(), &height.to_le_bytes()].concat();
        for (bytes, format) in [(gif(7, 5), Format::Gif), (png(7, 5), Format::Png), (bmp(5), Format::Bmp), (bmp(-5), Format::Bmp)]
        {
            assert_eq!(check(&bytes), Ok(Inspected { format, width: Some(7), height: Some(5) }));
        }
    }

    #[test]
    fn refusals_name_the_limit_and_the_value() {
        use Refusal::{Quarantined, Rejected};
        let mut unfinished = b"\0\0\0\x14ftypisom\0\0\0\0isom".to_vec();
        unfinished.extend(b"\0\0\0\x08mdat");
        for (bytes, refusal, format, words) in [
            (png(20_000, 20_000), Rejected, Some(Format::Png), "20000 × 20000 = 400000000 pixels; the limit is 150000000"),
            (png(70_000, 2), Rejected, Some(Format::Png), "70000 × 2 pixels; the limit for one side is 65535"),
            (gif(0, 5), Quarantined, Some(Format::Gif), "0 × 5 pixels"),
            (gif(7, 5)[..9].to_vec(), Quarantined, Some(Format::Gif), "cut off"),
            (b"\xFF\xD8\xFF\xE0".to_vec(), Quarantined, Some(Format::Jpeg), "ends after 4 bytes"),
            (b"#EXTM3U\nhttp://127.0.0.1/".to_vec(), Quarantined, None, "playlist"),
            (unfinished, Quarantined, Some(Format::Mp4), "moov"),
            (b"hello".to_vec(), Rejected, None, "plain text"),
            (Vec::new(), Rejected, None, "an empty file"),
        ] {
            let refused = check(&bytes).unwrap_err();
            assert_eq!((refused.refusal, refused.format), (refusal, format), "{}", refused.reason);
            assert!(refused.reason.contains(words), "{}", refused.reason);
        }
    }

    #[test]
    fn bytes_are_limited_by_kind() {
        let head = gif(7, 5);
        let refused = inspect(std::io::Cursor::new(&head), MAX_PHOTO_BYTES + 1).unwrap_err();
        assert!(refused.reason.contains("268435457 bytes; the limit for a photo is 268435456"), "{}", refused.reason);
    }
}
