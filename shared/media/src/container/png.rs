//! PNG's chunks (W3C PNG, third edition): the size, and the metadata that must be unpacked within a limit.

use std::{
    borrow::Cow,
    io::{Read, Seek},
};

use super::{Damage, Source, u32_be, within};
use flate2::read::ZlibDecoder;
use photovault_domain::limits::{MAX_DECODE_BYTES, MAX_FRAME_PIXELS, MAX_FRAMES, MAX_METADATA_BYTES, MAX_PARTS};

/// Reads width and height from `IHDR`.
pub(crate) fn size<R: Read + Seek>(source: &mut Source<R>) -> Result<(u32, u32), Damage> {
    let head = source.up_to(8, 8 + 8)?;
    let size = |at| u32_be(head, at);
    match (head.get(4..8), size(8), size(12)) {
        (Some(b"IHDR"), Some(width), Some(height)) => Ok((width, height)),
        (Some(b"CgBI"), ..) => Err(Damage::new("it is a PNG in Apple's private variant (CgBI), which only iOS apps can show")),
        (Some(b"IHDR") | None, ..) => Err(Damage::new("its PNG header is cut off")),
        (Some(_), ..) => Err(Damage::new("its PNG header is missing")),
    }
}

/// Holds chunks, frames and what metadata unpacks to against their limits. What is cut off has the chunks that are there.
pub(crate) fn check<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Damage> {
    let (width, height) = size(source)?;
    let pixels = u64::from(width) * u64::from(height);
    let format = source.up_to(24, 2)?;
    if let [depth, colour, ..] = *format {
        // Samples a pixel by colour type (table 11.1); a palette of eight bits becomes three.
        let samples = match colour {
            0 => 1,
            4 => 2,
            6 => 4,
            _ => 3,
        };
        within(pixels * samples * u64::from(depth.max(8)) / 8, MAX_DECODE_BYTES, "bytes of pixels")?;
    }
    let (mut at, mut unpacked) = (8, 0);
    for _ in 0..MAX_PARTS {
        let head = source.up_to(at, 8)?;
        let (Some(length), Some(kind)) = (u32_be(head, 0), head.get(4..8)) else { return Ok(()) };
        let (kind, body_at) = (*kind.first_chunk::<4>().unwrap_or(b"IEND"), at + 8);
        match &kind {
            b"IEND" => return Ok(()),
            b"acTL" => {
                let frames = u32_be(source.up_to(body_at, 4)?, 0).unwrap_or(0);
                within(frames, MAX_FRAMES, "frames")?;
                within(u64::from(frames) * pixels, MAX_FRAME_PIXELS, "pixels in all its frames")?;
            }
            b"iCCP" | b"zTXt" | b"iTXt" | b"tEXt" | b"eXIf" | b"sPLT" => {
                within(length, MAX_METADATA_BYTES as u64, "bytes in one piece of metadata")?;
                let data = source.up_to(body_at, length as usize)?;
                unpacked += packed(kind, data).map_or(0, |packed| unpacked_bytes(packed, MAX_METADATA_BYTES as u64 - unpacked));
                if unpacked > MAX_METADATA_BYTES as u64 {
                    let words = format!("unpacks to more than {MAX_METADATA_BYTES} bytes of metadata, which is the limit");
                    return Err(Damage::Exceeds(words));
                }
            }
            _ => {}
        }
        at = body_at + u64::from(length) + 4;
    }
    within(MAX_PARTS + 1, MAX_PARTS, "chunks or more")
}

/// The compressed part of a chunk, if it has one.
fn packed(kind: [u8; 4], data: &[u8]) -> Option<&[u8]> {
    let name_end = data.iter().position(|byte| *byte == 0)?;
    let behind_name = data.get(name_end + 1..)?;
    match &kind {
        // The method of compression, of which there is one.
        b"iCCP" | b"zTXt" => behind_name.get(1..),
        b"iTXt" => {
            let [1, _, rest @ ..] = behind_name else { return None };
            let behind_language = rest.get(rest.iter().position(|byte| *byte == 0)? + 1..)?;
            behind_language.get(behind_language.iter().position(|byte| *byte == 0)? + 1..)
        }
        _ => None,
    }
}

/// How many bytes come out, counted up to one more than `most`; nothing is kept.
fn unpacked_bytes(packed: &[u8], most: u64) -> u64 {
    let mut decoder = ZlibDecoder::new(packed).take(most + 1);
    let (mut total, mut buffer) = (0, [0; 16 * 1024]);
    // What is broken further on unpacks to no more.
    while let Ok(count @ 1..) = decoder.read(&mut buffer) {
        total += count as u64;
    }
    total
}

/// One chunk of a PNG in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) data: &'a [u8],
    /// The whole chunk: length, kind, data, checksum.
    pub(crate) whole: &'a [u8],
}

/// The complete chunks, in order, as far as they go.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32_be(rest, 0)? as usize;
        let whole = rest.get(..length.checked_add(12)?)?;
        rest = &rest[whole.len()..];
        Some(Chunk { kind: *whole[4..].first_chunk()?, data: &whole[8..8 + length], whole })
    })
    .take(MAX_PARTS as usize)
}

/// Code points of ITU-T H.273, primaries and transfer, which count before a profile (third edition, 4.3).
pub(crate) fn code_points(bytes: &[u8]) -> Option<(u8, u8)> {
    chunks(bytes).take_while(|chunk| chunk.kind != *b"IDAT").find(|chunk| chunk.kind == *b"cICP").and_then(|chunk| {
        let [primaries, transfer, ..] = *chunk.data else { return None };
        Some((primaries, transfer))
    })
}

/// The Exif block: of `eXIf`, or of the text chunk that `ImageMagick` and old versions of exiftool wrote.
pub(crate) fn exif(bytes: &[u8]) -> Option<Vec<u8>> {
    let own = chunks(bytes).find(|chunk| &chunk.kind == b"eXIf").map(|chunk| chunk.data.to_vec());
    let block = own.or_else(|| {
        let mut texts = texts(bytes);
        let (_, profile) = texts.find(|(key, _)| matches!(*key, b"Raw profile type exif" | b"Raw profile type APP1"))?;
        raw_profile(&profile)
    })?;
    Some(block.strip_prefix(b"Exif\0\0").map_or(block.clone(), <[u8]>::to_vec))
}

/// Keys and texts of `tEXt`, `zTXt` and `iTXt`, as far as together they unpack to no more than the limit.
pub(crate) fn texts(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
    let mut left = MAX_METADATA_BYTES;
    chunks(bytes).filter_map(move |chunk| {
        let is_text = matches!(&chunk.kind, b"tEXt" | b"zTXt" | b"iTXt");
        let key = chunk.data.split(|byte| *byte == 0).next().filter(|_| is_text)?;
        let behind_key = chunk.data.get(key.len() + 1..)?;
        let text = match (&chunk.kind, packed(chunk.kind, chunk.data)) {
            (_, Some(packed)) => Cow::Owned(inflate(packed, left).ok()??),
            // Method, language and translated key stand before it.
            (b"iTXt", None) => Cow::Borrowed(behind_key.get(2..)?.splitn(3, |byte| *byte == 0).nth(2)?),
            _ => Cow::Borrowed(behind_key),
        };
        left = left.checked_sub(text.len())?;
        Some((key, text))
    })
}

/// The ICC profile of `iCCP`. `Err` with a warning if it is broken or unpacks to more than the limit.
pub(crate) fn profile(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut before_pixels = chunks(bytes).take_while(|chunk| &chunk.kind != b"IDAT");
    let Some(chunk) = before_pixels.find(|chunk| &chunk.kind == b"iCCP") else { return Ok(None) };
    let broken = || "The colour profile is broken and was not used.".to_owned();
    let name_end = chunk.data.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
    let packed = chunk.data.get(name_end + 2..).ok_or_else(broken)?;
    match inflate(packed, MAX_METADATA_BYTES) {
        Ok(Some(profile)) => Ok(Some(profile)),
        Ok(None) => Err(format!("The colour profile unpacks to more than {MAX_METADATA_BYTES} bytes and was not used.")),
        Err(_) => Err(broken()),
    }
}

/// The file without the chunks that decoders unpack and that do not change pixels: a kilobyte of them can become a gigabyte.
pub(crate) fn without_metadata(bytes: &[u8]) -> Cow<'_, [u8]> {
    let unpacked = |kind: &[u8; 4]| matches!(kind, b"iCCP" | b"zTXt" | b"iTXt" | b"tEXt" | b"eXIf" | b"sPLT");
    if !chunks(bytes).any(|chunk| unpacked(&chunk.kind)) {
        return bytes.into();
    }
    let mut kept = bytes[..8].to_vec();
    let mut end = 8;
    for chunk in chunks(bytes) {
        end += chunk.whole.len();
        if !unpacked(&chunk.kind) {
            kept.extend(chunk.whole);
        }
    }
    // What is left is an incomplete chunk: the decoder says what is wrong with it.
    kept.extend(&bytes[end.min(bytes.len())..]);
    kept.into()
}

/// `None` where more than `most_bytes` would come out.
fn inflate(packed: &[u8], most_bytes: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(packed).take(most_bytes as u64 + 1).read_to_end(&mut unpacked)?;
    Ok((unpacked.len() <= most_bytes).then_some(unpacked))
}

/// What `ImageMagick` wrote as `\nexif\n     1234\n<hexadecimal>`.
pub(crate) fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.trim_start().splitn(3, '\n').nth(2)?;
    let digits: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    Some(digits.as_bytes().chunks_exact(2).map(|pair| (hex_digit(pair[0]) << 4) | hex_digit(pair[1])).collect())
}

fn hex_digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).map_or(0, |value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in chunks {
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend(*kind);
            bytes.extend(*data);
            bytes.extend([0; 4]);
        }
        bytes
    }

    #[test]
    fn a_profile_that_unpacks_to_too_much_is_left_out() {
        let mut encoder = flate2::write::ZlibEncoder::new(b"bomb\0\0".to_vec(), flate2::Compression::fast());
        encoder.write_all(&vec![0; MAX_METADATA_BYTES + 1]).unwrap();
        let bytes = png(&[(b"IHDR", &[0; 13]), (b"iCCP", &encoder.finish().unwrap()), (b"IDAT", b"x")]);
        assert!(profile(&bytes).unwrap_err().contains("more than"));
        let kinds: Vec<_> = chunks(&without_metadata(&bytes)).map(|chunk| chunk.kind).collect();
        assert_eq!(kinds, [*b"IHDR", *b"IDAT"]);
    }

    #[test]
    fn what_metadata_unpacks_to_is_limited_over_all_chunks() {
        let half = {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&vec![0; MAX_METADATA_BYTES / 2]).unwrap();
            encoder.finish().unwrap()
        };
        let header = [0, 0, 0, 9, 0, 0, 0, 4, 8, 2, 0, 0, 0];
        let text = |prefix: &[u8]| [prefix, &half].concat();
        let (profile, words, more) = (text(b"p\0\0"), text(b"w\0\0"), text(b"m\0\x01\0en\0t\0"));
        let check =
            |chunks: &[(&[u8; 4], &[u8])]| check(&mut Source::of_bytes(&png(&[&[(b"IHDR", &header[..])], chunks].concat())));
        assert_eq!(check(&[(b"iCCP", &profile), (b"zTXt", &words)]), Ok(()));
        let bomb = check(&[(b"iCCP", &profile), (b"zTXt", &words), (b"iTXt", &more)]).unwrap_err();
        assert!(matches!(&bomb, Damage::Exceeds(words) if words.contains("more than 16777216 bytes of metadata")), "{bomb:?}");
        assert_eq!(check(&[(b"acTL", &[0, 0, 0x27, 0x10, 0, 0, 0, 0])]), Ok(()));
        assert!(check(&[(b"acTL", &[0, 0, 0x27, 0x11, 0, 0, 0, 0])]).unwrap_err().words().contains("10001 frames"));
        let large = [0, 0, 0x2E, 0xE0, 0, 0, 0x2E, 0xE0, 16, 6, 0, 0, 0];
        assert!(super::check(&mut Source::of_bytes(&png(&[(b"IHDR", &large)]))).unwrap_err().words().contains("bytes of pixels"));
    }

    #[test]
    fn texts_come_in_three_chunks() {
        let packed = {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(b"packed").unwrap();
            encoder.finish().unwrap()
        };
        let chunks: &[(&[u8; 4], Vec<u8>)] = &[
            (b"tEXt", b"Title\0plain".to_vec()),
            (b"zTXt", [&b"Author\0\0"[..], &packed].concat()),
            (b"iTXt", b"Comment\0\0\0en\0Kommentar\0words".to_vec()),
            (b"iTXt", [&b"Comment\0\x01\0en\0\0"[..], &packed].concat()),
            (b"tEXt", b"no text".to_vec()),
            (b"tEXt", b"Raw profile type exif\0\nexif\n 10\n457869660000\n4d4d002a".to_vec()),
        ];
        let chunks: Vec<(&[u8; 4], &[u8])> = chunks.iter().map(|(kind, data)| (*kind, data.as_slice())).collect();
        let bytes = png(&chunks);
        let found: Vec<_> = texts(&bytes).map(|(_, text)| String::from_utf8(text.to_vec()).unwrap()).collect();
        assert_eq!(found[..4], ["plain", "packed", "words", "packed"]);
        assert_eq!(found.len(), 5);
        assert_eq!(exif(&bytes).unwrap(), b"MM\0*");
    }

    #[test]
    fn the_size_is_in_the_first_chunk() {
        let mut header = [0; 13];
        header[3] = 9;
        header[7] = 4;
        let bytes = png(&[(b"IHDR", &header)]);
        assert_eq!(size(&mut Source::of_bytes(&bytes)), Ok((9, 4)));
        assert!(size(&mut Source::of_bytes(&bytes[..20])).is_err());
        assert!(size(&mut Source::of_bytes(&png(&[(b"IDAT", &[0; 13])]))).is_err());
    }
}
