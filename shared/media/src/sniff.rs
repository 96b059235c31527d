//! What a file is, told from its first bytes, never from its name or from what an uploader calls it.

use photovault_domain::Format;

/// How many of a file's first bytes [`sniff`] wants: enough for four packets of an MPEG transport stream.
pub const SNIFF_BYTES: usize = 4096;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A photo or video that the vault takes.
    Media(Format),
    /// Something else, in words that complete "this is …".
    Other(&'static str),
}

/// What the bytes are. A raw photo that is a TIFF file by its first bytes is told apart by [`inspect`](crate::inspect).
/// `head` is the file's beginning, [`SNIFF_BYTES`] of it where it has them.
pub fn sniff(head: &[u8]) -> Sniffed {
    use Sniffed::{Media, Other};
    if head.is_empty() {
        return Other("an empty file");
    }
    let photo = jpeg(head).or_else(|| tiff(head)).or_else(|| riff(head)).or_else(|| iso(head));
    if let Some(found) = photo.or_else(|| matroska(head)) {
        return found;
    }
    if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return *found;
    }
    if is_bmp(head) {
        Media(Format::Bmp)
    } else if is_transport_stream(head) {
        Media(Format::Ts)
    } else {
        Other(text(head).unwrap_or("not a kind of file that we know"))
    }
}

/// Whether this is a list of other addresses: a player that opens it as a video would fetch them.
pub(crate) fn is_playlist(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    [b"#EXTM3U".as_slice(), b"ffconcat version", b"[playlist]"].iter().any(|magic| text.starts_with(magic))
}

/// Whether this is XMP: what photo editors write beside a photo. Told like everything else from the bytes.
pub fn is_xmp(head: &[u8]) -> bool {
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let begins = |beginning: &[u8]| text.starts_with(beginning);
    let named = || head.windows(9).take(1024).any(|part| part == b"x:xmpmeta");
    begins(b"<?xpacket") || begins(b"<x:xmpmeta") || (begins(b"<?xml") && named())
}

const fn other(what: &'static str) -> Sniffed {
    Sniffed::Other(what)
}

const MAGIC: &[(&[u8], Sniffed)] = &[
    (b"\x89PNG\r\n\x1a\n", Sniffed::Media(Format::Png)),
    (b"GIF87a", Sniffed::Media(Format::Gif)),
    (b"GIF89a", Sniffed::Media(Format::Gif)),
    (b"\x00\x00\x01\xBA", Sniffed::Media(Format::Mpeg)),
    (b"\x00\x00\x01\xB3", Sniffed::Media(Format::Mpeg)),
    (b"\x8AMNG\r\n\x1a\n", other("an MNG animation")),
    (b"%PDF-", other("a PDF document")),
    (b"%!PS", other("a PostScript document")),
    (b"\xC5\xD0\xD3\xC6", other("a PostScript document")),
    (b"8BPS", other("a Photoshop document")),
    (b"FUJIFILMCCD-RAW", Sniffed::Media(Format::Raf)),
    (b"FOVb", other("a Sigma raw photo")),
    (b"\x00MRM", other("a Minolta raw photo")),
    (b"\xFF\x0A", Sniffed::Media(Format::Jxl)),
    (b"\xFF\x4F\xFF\x51", other("a JPEG 2000 picture")),
    (b"\x00\x00\x01\x00", other("a Windows icon")),
    (b"\x00\x00\x02\x00", other("a Windows cursor")),
    (b"icns", other("a macOS icon")),
    (b"gimp xcf", other("a GIMP document")),
    (b"v/1\x01", other("an OpenEXR picture")),
    (b"\x76\x2F\x31\x01", other("an OpenEXR picture")),
    (b"#?RADIANCE", other("a Radiance HDR picture")),
    (b"#?RGBE", other("a Radiance HDR picture")),
    (b"DDS ", other("a DirectDraw texture")),
    (b"qoif", other("a QOI picture")),
    (b"farbfeld", other("a farbfeld picture")),
    (b"SDPX", other("a DPX picture")),
    (b"XPDS", other("a DPX picture")),
    (b"AT&TFORM", other("a DjVu document")),
    (b"OggS", other("an Ogg file")),
    (b"ID3", other("an MP3 audio file")),
    (b"fLaC", other("a FLAC audio file")),
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", other("a Windows Media file")),
    (b"FLV\x01", other("a Flash video")),
    (b"PK\x03\x04", other("a ZIP archive or an office document")),
    (b"PK\x05\x06", other("an empty ZIP archive")),
    (b"\x1F\x8B", other("a gzip archive")),
    (b"7z\xBC\xAF\x27\x1C", other("a 7-Zip archive")),
    (b"Rar!\x1A\x07", other("a RAR archive")),
    (b"\xFD7zXZ\x00", other("an xz archive")),
    (b"BZh", other("a bzip2 archive")),
    (b"SQLite format 3\x00", other("an SQLite database")),
    (b"\x7FELF", other("a program")),
    (b"MZ", other("a Windows program")),
    (b"\xCF\xFA\xED\xFE", other("a macOS program")),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", other("an old office document")),
    (b"Exif\x00\x00", other("a bare Exif block")),
];

fn jpeg(head: &[u8]) -> Option<Sniffed> {
    match head {
        [0xFF, 0xD8, 0xFF, 0xF7, ..] => Some(other("a JPEG-LS picture")),
        [0xFF, 0xD8, 0xFF, ..] => Some(Sniffed::Media(Format::Jpeg)),
        _ => None,
    }
}

fn tiff(head: &[u8]) -> Option<Sniffed> {
    Some(match head {
        [b'I', b'I', 42, 0, _, _, _, _, b'C', b'R', ..] => Sniffed::Media(Format::Cr2),
        [b'I', b'I', 0x1A, 0, 0, 0, b'H', b'E', b'A', b'P', ..] => other("a Canon CRW raw photo"),
        [b'I', b'I', b'U', 0, ..] => Sniffed::Media(Format::Rw2),
        [b'I', b'I', b'R', b'O' | b'S', ..] | [b'M', b'M', b'O', b'R', ..] => Sniffed::Media(Format::Orf),
        [b'I', b'I', 0xBC, ..] => other("a JPEG XR picture"),
        [b'I', b'I', 43, 0, ..] | [b'M', b'M', 0, 43, ..] => other("a BigTIFF picture"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Sniffed::Media(Format::Tiff),
        _ => return None,
    })
}

fn riff(head: &[u8]) -> Option<Sniffed> {
    let kind = head.strip_prefix(b"RIFF")?.get(4..8)?;
    Some(match kind {
        b"WEBP" => Sniffed::Media(Format::Webp),
        b"AVI " | b"AVIX" => Sniffed::Media(Format::Avi),
        b"WAVE" => other("a WAV audio file"),
        b"ACON" => other("a Windows cursor"),
        _ => other("a RIFF file of an unknown kind"),
    })
}

/// ISO base media files (ISO 14496-12 and QuickTime): the first box says which.
fn iso(head: &[u8]) -> Option<Sniffed> {
    match head.get(4..8)? {
        b"ftyp" => {}
        b"jP  " => return Some(other("a JPEG 2000 picture")),
        b"JXL " => return Some(Sniffed::Media(Format::Jxl)),
        // QuickTime before 2001 had no ftyp box.
        b"moov" | b"mdat" | b"wide" | b"pnot" | b"skip" => return Some(Sniffed::Media(Format::Mov)),
        b"free" => return Some(Sniffed::Media(Format::Mp4)),
        _ => return None,
    }
    let size = u32::from_be_bytes(head.first_chunk::<4>().copied()?) as usize;
    let body = head.get(8..size.clamp(8, head.len())).unwrap_or_default();
    let major = body.get(..4).unwrap_or_default();
    let mut brands = body.chunks_exact(4);
    Some(match major {
        b"crx " => Sniffed::Media(Format::Cr3),
        b"avif" | b"avis" => Sniffed::Media(Format::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => Sniffed::Media(Format::Heic),
        b"mif1" | b"mif2" | b"msf1" | b"miaf" | b"1pic" => {
            let avif = brands.any(|brand| matches!(brand, b"avif" | b"avis"));
            Sniffed::Media(if avif { Format::Avif } else { Format::Heic })
        }
        b"qt  " => Sniffed::Media(Format::Mov),
        b"M4A " | b"M4B " | b"M4P " => other("an M4A audio file"),
        b"jp2 " | b"jpx " | b"jpm " => other("a JPEG 2000 picture"),
        b"jxl " => Sniffed::Media(Format::Jxl),
        _ => Sniffed::Media(Format::Mp4),
    })
}

fn matroska(head: &[u8]) -> Option<Sniffed> {
    let header = head.strip_prefix(b"\x1A\x45\xDF\xA3")?;
    let window = &header[..header.len().min(256)];
    let named = |name: &[u8]| window.windows(name.len()).any(|part| part == name);
    Some(if named(b"webm") {
        Sniffed::Media(Format::Webm)
    } else if named(b"matroska") || !named(b"\x42\x82") {
        Sniffed::Media(Format::Mkv)
    } else {
        other("an EBML file that is not Matroska")
    })
}

/// `BM` alone begins many texts: the size of the second header must be one that exists.
fn is_bmp(head: &[u8]) -> bool {
    let size = head.get(14..18).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    head.starts_with(b"BM") && matches!(size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// Sync bytes of four packets of 188 bytes, or of 192 as Blu-ray and camcorders write them.
fn is_transport_stream(head: &[u8]) -> bool {
    let synced = |first: usize, packet: usize| (0..4).all(|n| head.get(first + n * packet) == Some(&0x47));
    synced(0, 188) || synced(4, 192)
}

fn text(head: &[u8]) -> Option<&'static str> {
    if is_playlist(head) {
        return Some("a playlist");
    }
    let lower: Vec<u8> = head.iter().take(1024).map(u8::to_ascii_lowercase).collect();
    let has = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    let start = lower.trim_ascii_start();
    if start.starts_with(b"<") && has(b"<svg") {
        Some("an SVG drawing")
    } else if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") {
        Some("a web page")
    } else if start.starts_with(b"<?xml") {
        Some("an XML file")
    } else if head.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace()) {
        Some("plain text")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_what_they_are() {
        let mut stream = vec![0; 600];
        for n in 0..4 {
            stream.resize(stream.len().max(n * 188 + 1), 0);
            stream[n * 188] = 0x47;
        }
        for (head, want) in [
            (&b""[..], Sniffed::Other("an empty file")),
            (b"\xFF\xD8\xFF\xE1", Sniffed::Media(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", Sniffed::Media(Format::Png)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Sniffed::Media(Format::Webp)),
            (b"RIFF\x10\0\0\0AVI LIST", Sniffed::Media(Format::Avi)),
            (b"RIFF\x10\0\0\0WAVEfmt ", Sniffed::Other("a WAV audio file")),
            (b"II*\0\x08\0\0\0\0\0", Sniffed::Media(Format::Tiff)),
            (b"MM\0*\0\0\0\x08\0\0", Sniffed::Media(Format::Tiff)),
            (b"II*\0\x10\0\0\0CR\x02\0", Sniffed::Media(Format::Cr2)),
            (b"IIU\0\x18\0\0\0", Sniffed::Media(Format::Rw2)),
            (b"IIRS\x08\0\0\0", Sniffed::Media(Format::Orf)),
            (b"\xFF\x0A\xFA\x1F", Sniffed::Media(Format::Jxl)),
            (b"\0\0\0\x0CJXL \r\n\x87\n", Sniffed::Media(Format::Jxl)),
            (b"FUJIFILMCCD-RAW 0201", Sniffed::Media(Format::Raf)),
            (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", Sniffed::Media(Format::Cr3)),
            (b"MM\0+\0\x08\0\0", Sniffed::Other("a BigTIFF picture")),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Sniffed::Media(Format::Heic)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Sniffed::Media(Format::Avif)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Sniffed::Media(Format::Heic)),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Sniffed::Media(Format::Mov)),
            (b"\0\0\0\x14ftyp3gp4\0\0\0\x003gp4", Sniffed::Media(Format::Mp4)),
            (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", Sniffed::Other("an M4A audio file")),
            (b"\0\0\0\x08wide\0\0\0\0mdat", Sniffed::Media(Format::Mov)),
            (b"\x1A\x45\xDF\xA3\x93\x42\x82\x88matroska", Sniffed::Media(Format::Mkv)),
            (b"\x1A\x45\xDF\xA3\x93\x42\x82\x84webm", Sniffed::Media(Format::Webm)),
            (&stream, Sniffed::Media(Format::Ts)),
            (b"#EXTM3U\nhttp://127.0.0.1/x", Sniffed::Other("a playlist")),
            (b"BM is how this text begins", Sniffed::Other("plain text")),
            (b"<?xml version='1.0'?><svg/>", Sniffed::Other("an SVG drawing")),
            (b"%PDF-1.7", Sniffed::Other("a PDF document")),
            (b"\x01\x02\x03\x04", Sniffed::Other("not a kind of file that we know")),
        ] {
            assert_eq!(sniff(head), want, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn sidecars_are_told_from_other_texts() {
        for (head, want) in [
            (&b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>"[..], true),
            (b"\xEF\xBB\xBF<x:xmpmeta xmlns:x='adobe:ns:meta/'>", true),
            (b"<?xml version='1.0'?>\n<x:xmpmeta xmlns:x='adobe:ns:meta/'>", true),
            (b"<?xml version='1.0'?><svg/>", false),
            (b"<html>x:xmpmeta", false),
            (b"", false),
        ] {
            assert_eq!(is_xmp(head), want, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn no_prefix_of_a_header_panics() {
        let head = b"\0\0\0\xFFftypmif1\0\0\0\0mif1heic";
        for length in 0..head.len() {
            sniff(&head[..length]);
        }
    }
}
