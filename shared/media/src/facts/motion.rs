//! The video inside a motion photo: where it lies, taken for true only where an MP4 or `QuickTime` file begins there.

use std::io::{Read, Seek};

use photovault_domain::{Format, Motion, limits::MAX_PARTS};

use crate::container::{Damage, Source, bmff, u16_le, u32_be, u32_le};

/// What Samsung's phones write before the video, and its number in the directory of their trailer.
const SAMSUNG_NAME: &[u8] = b"MotionPhoto_Data";
const SAMSUNG_KIND: u16 = 0x0A30;
/// Bytes of a Samsung file's end in which its directory stands: phones write some ten entries of twelve bytes.
const TAIL_BYTES: usize = 16 * 1024;
/// Bytes looked through at once for a video.
const SCAN_BYTES: usize = 1024 * 1024;
/// The least that a video can have: an `ftyp` box and one more.
const LEAST_BYTES: u64 = 24;

/// What XMP says of the video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clue {
    /// How far before the end of the file it begins; 0 if it is not said.
    pub(super) from_end: u64,
    pub(super) length: u64,
    pub(super) source: &'static str,
    pub(super) still_at_us: Option<u64>,
}

/// The video that `clue` or the file's own trailer points to. Only where one may be is looked: most photos have none, and reading
/// their ends would cost a trip each.
///
/// # Errors
/// If the file cannot be read where it would have to be: what follows is not tried then.
pub(super) fn find<R: Read + Seek>(
    source: &mut Source<R>,
    format: Format,
    clue: Option<&Clue>,
    is_samsung: bool,
) -> Result<Option<Motion>, Damage> {
    let mut found = None;
    if let Some(clue) = clue {
        let at = source.size_bytes().checked_sub(clue.from_end);
        found = verified(source, at, Some(clue.length), clue.source)?;
    }
    if found.is_none() && (clue.is_some() || is_samsung) {
        found = match format {
            Format::Jpeg => samsung(source)?,
            Format::Heic | Format::Avif => boxed(source)?,
            _ => None,
        };
    }
    if found.is_none() && clue.is_some() {
        found = scanned(source)?;
    }
    Ok(found.map(|motion| Motion { still_at_us: clue.and_then(|clue| clue.still_at_us), ..motion }))
}

/// The video of this length at this place, if one begins there.
fn verified<R: Read + Seek>(
    source: &mut Source<R>,
    at: Option<u64>,
    length: Option<u64>,
    by: &str,
) -> Result<Option<Motion>, Damage> {
    let (Some(at), Some(length @ LEAST_BYTES..)) = (at, length) else { return Ok(None) };
    let within = at.checked_add(length).is_some_and(|end| end <= source.size_bytes());
    let begins = within && begins_video(source.up_to(at, 12)?);
    Ok(begins.then(|| Motion { at, length, source: by.to_owned(), still_at_us: None }))
}

fn begins_video(head: &[u8]) -> bool {
    u32_be(head, 0).is_some_and(|size| (16..=4096).contains(&size)) && head.get(4..8) == Some(b"ftyp")
}

/// By the directory at the end of a Samsung file (as exiftool reads it): `SEFH`, entries, its own length, `SEFT`.
/// Each entry says how far before the directory its data lies: four bytes, the length of a name, the name, the video.
fn samsung<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Motion>, Damage> {
    let tail_at = source.size_bytes().saturating_sub(TAIL_BYTES as u64);
    let tail = source.up_to(tail_at, TAIL_BYTES)?;
    let Some((at_in_tail, from_directory, length)) = samsung_entry(tail) else { return Ok(None) };
    let data_at = (tail_at + at_in_tail as u64).checked_sub(u64::from(from_directory));
    let name_bytes = match data_at {
        Some(at) => u32_le(source.up_to(at, 8)?, 4),
        None => None,
    };
    let own = name_bytes.map(|name_bytes| 8 + u64::from(name_bytes));
    let video_at = data_at.zip(own).map(|(at, own)| at + own);
    verified(source, video_at, own.and_then(|own| u64::from(length).checked_sub(own)), "Samsung trailer")
}

/// Where in the file's end the directory begins, and of the video's entry how far before that its data lies, and its length.
fn samsung_entry(tail: &[u8]) -> Option<(usize, u32, u32)> {
    let behind_directory = tail.strip_suffix(b"SEFT")?;
    let end = behind_directory.len().checked_sub(4)?;
    let begin = end.checked_sub(u32_le(behind_directory, end)? as usize)?;
    let entries = tail[begin..end].strip_prefix(b"SEFH")?.get(8..)?.chunks_exact(12);
    let entry = entries.into_iter().find(|entry| u16_le(entry, 2) == Some(SAMSUNG_KIND))?;
    Some((begin, u32_le(entry, 4)?, u32_le(entry, 8)?))
}

/// By the box `mpvd`, which newer HEIC motion photos have (Android's "Motion Photo format 1.0").
fn boxed<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Motion>, Damage> {
    let place = bmff::body_of(source, *b"mpvd")?;
    verified(source, place.map(|(at, _)| at), place.map(|(_, length)| length), "mpvd box")
}

/// By looking through the file for Samsung's mark, or for the beginning of a video.
fn scanned<R: Read + Seek>(source: &mut Source<R>) -> Result<Option<Motion>, Damage> {
    // A HEIF file begins like a video itself.
    let mut at = LEAST_BYTES;
    for _ in 0..MAX_PARTS {
        let window = source.up_to(at, SCAN_BYTES)?;
        let length = window.len();
        let marked =
            window.windows(SAMSUNG_NAME.len()).position(|part| part == SAMSUNG_NAME).map(|found| found + SAMSUNG_NAME.len());
        let found = marked.or_else(|| window.windows(12).position(|part| begins_video(part) && is_video_brand(part)));
        if let Some(begin) = found.map(|found| at + found as u64) {
            let rest = source.size_bytes().checked_sub(begin);
            let video = verified(source, Some(begin), rest, "found in the file")?;
            if video.is_some() {
                return Ok(video);
            }
        }
        if length < SCAN_BYTES {
            break;
        }
        // What stands across two windows is seen whole in the next.
        at += (SCAN_BYTES - SAMSUNG_NAME.len()) as u64;
    }
    Ok(None)
}

fn is_video_brand(head: &[u8]) -> bool {
    [&b"isom"[..], b"iso2", b"mp41", b"mp42", b"qt  ", b"3gp4", b"3gp5"].contains(&&head[8..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video() -> Vec<u8> {
        [&b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"[..], b"\0\0\0\x0cmdatabcd"].concat()
    }

    fn found(bytes: &[u8], format: Format, clue: Option<&Clue>, is_samsung: bool) -> Option<(u64, u64, String)> {
        let motion = find(&mut Source::of_bytes(bytes), format, clue, is_samsung).ok()??;
        assert!(bytes[motion.at as usize..].starts_with(&video()[..12]));
        Some((motion.at, motion.length, motion.source))
    }

    #[test]
    fn what_xmp_says_is_checked() {
        let bytes = [vec![7; 100], video()].concat();
        let length = video().len() as u64;
        let clue = |from_end: u64| Clue { from_end, length: from_end, source: "XMP Container", still_at_us: Some(5) };
        assert_eq!(found(&bytes, Format::Jpeg, Some(&clue(length)), false), Some((100, length, "XMP Container".to_owned())));
        for wrong in [0, 3, length - 1, u64::MAX] {
            let by_scan = found(&bytes, Format::Jpeg, Some(&clue(wrong)), false);
            assert_eq!(by_scan, Some((100, length, "found in the file".to_owned())), "{wrong}");
            assert_eq!(found(&[7; 300], Format::Jpeg, Some(&clue(wrong)), false), None);
        }
        assert_eq!(found(&bytes, Format::Jpeg, None, false), None, "nothing says that there is one");
    }

    #[test]
    fn samsungs_directory_and_mark_are_read() {
        let data = [&[0, 0, 0x30, 0x0A, 16, 0, 0, 0][..], SAMSUNG_NAME, &video()].concat();
        let entry = [&[0, 0, 0x30, 0x0A][..], &(data.len() as u32).to_le_bytes(), &(data.len() as u32).to_le_bytes()].concat();
        let directory = [b"SEFH", &[107, 0, 0, 0, 1, 0, 0, 0][..], &entry].concat();
        let bytes = [&[7; 50][..], &data, &directory, &(directory.len() as u32).to_le_bytes(), b"SEFT"].concat();
        let want = Some((74, video().len() as u64, "Samsung trailer".to_owned()));
        assert_eq!(found(&bytes, Format::Jpeg, None, true), want);
        for length in 0..bytes.len() {
            found(&bytes[..length], Format::Jpeg, None, true);
        }
    }

    #[test]
    fn heic_has_a_box_for_it() {
        let mpvd = [&(video().len() as u32 + 8).to_be_bytes()[..], b"mpvd", &video()].concat();
        let bytes = [&b"\0\0\0\x10ftypheic\0\0\0\0"[..], b"\0\0\0\x0cmdatxxxx", &mpvd].concat();
        assert_eq!(found(&bytes, Format::Heic, None, true), Some((36, video().len() as u64, "mpvd box".to_owned())));
    }

    #[test]
    fn a_mark_across_two_windows_is_found() {
        let clue = Clue { from_end: 0, length: 0, source: "XMP MicroVideo", still_at_us: None };
        for shift in [0, 5, 12, 20] {
            let before = SCAN_BYTES + LEAST_BYTES as usize - shift;
            let bytes = [vec![7; before], SAMSUNG_NAME.to_vec(), video()].concat();
            let at = (before + SAMSUNG_NAME.len()) as u64;
            let want = Some((at, video().len() as u64, "found in the file".to_owned()));
            assert_eq!(found(&bytes, Format::Jpeg, Some(&clue), false), want, "{shift}");
        }
    }
}
