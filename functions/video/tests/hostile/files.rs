//! Files that ask their reader to open something else, or to do too much.

use photovault_domain::Format;
use photovault_tests::film::Film;

/// One file and what it claims to be.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every one of them; `address` listens, and `path` is a file that must not be read.
pub(crate) fn all(address: &str, path: &str) -> Vec<Hostile> {
    let mut files = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| files.push(Hostile { name, bytes });
    for (kind, target) in
        [("net", format!("http://{address}/x.mp4")), ("file", path.to_owned()), ("url", format!("file://{path}"))]
    {
        for (name, text) in playlists(&target) {
            add(format!("{name}, {kind}"), text.into_bytes());
        }
        add(
            format!("external data, {kind}"),
            with_data_elsewhere(&boxed(*b"url ", &[&[0; 4], target.as_bytes(), &[0]].concat())),
        );
        add(format!("an alias of data, {kind}"), with_data_elsewhere(&alias(&target)));
        add(format!("reference movie, {kind}"), reference_movie(&target));
        add(format!("playlist behind a header, {kind}"), [FTYP, format!("#EXTM3U\n#EXTINF:1,\n{target}\n").as_bytes()].concat());
        add(format!("linked segment, {kind}"), linked_matroska(&target));
    }
    for (name, bytes) in excessive() {
        add(name.to_owned(), bytes);
    }
    files
}

/// The formats that a reader is told that a file has.
pub(crate) const FORMATS: &[Format] = &[Format::Mp4, Format::Mkv, Format::Avi, Format::Mpeg, Format::Ts];

const FTYP: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0isommp42";

/// Texts that name another file.
fn playlists(target: &str) -> Vec<(&'static str, String)> {
    let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n");
    vec![
        ("HLS", hls.clone()),
        ("HLS behind a byte order mark", format!("\u{feff}{hls}")),
        ("HLS behind empty lines", format!("\n\n\n{hls}")),
        ("HLS of playlists", format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n")),
        ("HLS with a key", format!("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{target}\"\n#EXTINF:1,\ndata:,x\n#EXT-X-ENDLIST\n")),
        ("HLS with a map", format!("#EXTM3U\n#EXT-X-MAP:URI=\"{target}\"\n#EXTINF:1,\ndata:,x\n#EXT-X-ENDLIST\n")),
        ("HLS by concat", format!("#EXTM3U\n#EXTINF:1,\nconcat:{target}|{target}\n#EXT-X-ENDLIST\n")),
        ("HLS by subfile", format!("#EXTM3U\n#EXTINF:1,\nsubfile,,start,0,end,64,,:{target}\n#EXT-X-ENDLIST\n")),
        ("ffconcat", format!("ffconcat version 1.0\nfile '{target}'\n")),
        ("concat", format!("file '{target}'\n")),
        (
            "DASH",
            format!(
                "<?xml version=\"1.0\"?><MPD type=\"static\" mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ),
        ),
        (
            "SDP",
            format!(
                "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{target}\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
            ),
        ),
        ("redirector", format!("RTSPtext\n{target}\n")),
        ("ASX", format!("<asx version=\"3.0\"><entry><ref href=\"{target}\"/></entry></asx>")),
        ("ASF reference", format!("[Reference]\nRef1={target}\n")),
        ("PLS", format!("[playlist]\nFile1={target}\nNumberOfEntries=1\n")),
        ("SMIL", format!("<smil><body><video src=\"{target}\"/></body></smil>")),
        (
            "VobSub index",
            format!(
                "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n# {target}\n"
            ),
        ),
        ("image sequence", format!("{target}%03d.jpg")),
        (
            "IMF",
            format!(
                "<?xml version=\"1.0\"?><CompositionPlaylist xmlns=\"http://www.smpte-ra.org/schemas/2067-3/2016\"><Id>{target}</Id></CompositionPlaylist>"
            ),
        ),
        ("WebVTT", format!("WEBVTT\n\nSTYLE\n::cue {{ background: url({target}) }}\n\n00:00.000 --> 00:01.000\nx\n")),
        ("filter script", format!("movie={target}")),
    ]
}

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).expect("a small box").to_be_bytes()[..], &kind, body].concat()
}

/// A video whose samples lie in another file: its data reference is not "this file" (ISO/IEC 14496-12, 8.7.2).
fn with_data_elsewhere(reference: &[u8]) -> Vec<u8> {
    let dref = [&[0, 0, 0, 0, 0, 0, 0, 1][..], reference].concat();
    let film = replaced(&Film::default().bytes(), &[b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"], &dref);
    replaced(&film, &[b"mdat"], &[])
}

/// A data reference as `QuickTime` on macOS writes it: an alias record, with an absolute path as its one further entry.
fn alias(target: &str) -> Vec<u8> {
    let path = &target.as_bytes()[..target.len() & !1];
    let entry = [&2_u16.to_be_bytes()[..], &(path.len() as u16).to_be_bytes(), path, &[0xFF, 0xFF, 0, 0]].concat();
    let levels = [0, 1, 0, 1];
    let record = [&[0; 4][..], &[0; 10], &[4], &[b'd'; 27], &[0; 12], &[6], &[b'f'; 63], &[0; 16], &levels, &[0; 16], &entry];
    boxed(*b"alis", &record.concat())
}

/// The file with the body of one box exchanged. The index stands behind the data, so no sample moves.
fn replaced(bytes: &[u8], path: &[&[u8; 4]], body: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = path.split_first() else { return body.to_vec() };
    let (mut made, mut at) = (Vec::new(), 0);
    while let Some(header) = bytes.get(at..at + 8) {
        let size = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if header[4..8] == kind[..] {
            made.extend(boxed(**kind, &replaced(&bytes[at + 8..at + size], rest, body)));
        } else {
            made.extend_from_slice(&bytes[at..at + size]);
        }
        at += size;
    }
    made
}

/// QuickTime's movie that is another movie (QuickTime file format, "reference movies").
fn reference_movie(target: &str) -> Vec<u8> {
    let reference = [&[0; 4], &b"url "[..], &(target.len() as u32 + 1).to_be_bytes(), target.as_bytes(), &[0]].concat();
    let moov = boxed(*b"moov", &boxed(*b"rmra", &boxed(*b"rmda", &boxed(*b"rdrf", &reference))));
    [FTYP, &moov].concat()
}

/// Matroska that says which file comes before and after it.
fn linked_matroska(target: &str) -> Vec<u8> {
    // A length of eight bytes: 0x01 and seven more.
    let element = |id: &[u8], body: &[u8]| [id, &[0x01, 0, 0, 0], &(body.len() as u32).to_be_bytes()[..], body].concat();
    let header = element(b"\x1A\x45\xDF\xA3", &element(b"\x42\x82", b"matroska"));
    let info = [
        element(b"\x73\x84", target.as_bytes()),
        element(b"\x3C\x83\xAB", target.as_bytes()),
        element(b"\x3E\x83\xBB", target.as_bytes()),
    ]
    .concat();
    [header, element(b"\x18\x53\x80\x67", &element(b"\x15\x49\xA9\x66", &info))].concat()
}

/// Files that promise too much.
fn excessive() -> Vec<(&'static str, Vec<u8>)> {
    let film = Film::default().bytes();
    let count = |kind: &[u8; 4], at: usize| {
        let mut film = film.clone();
        let place = film.windows(4).position(|it| it == kind).expect("the film has this box") + 4 + at;
        film[place..place + 4].copy_from_slice(&0x7FFF_FFFF_u32.to_be_bytes());
        film
    };
    let mut nested = boxed(*b"trak", &[]);
    (0..200).for_each(|_| nested = boxed(*b"trak", &nested));
    let stream: Vec<u8> = (0..4000_u32).flat_map(|n| [&[0x47][..], &[(n % 251) as u8; 187]].concat()).collect();
    vec![
        ("two thousand million samples", count(b"stsz", 8)),
        ("two thousand million chunks", count(b"stco", 4)),
        ("two thousand million times", count(b"stts", 4)),
        ("boxes in boxes", [FTYP, &boxed(*b"moov", &nested)].concat()),
        ("ten thousand tracks", [FTYP, &boxed(*b"moov", &boxed(*b"trak", &[]).repeat(10_000))].concat()),
        ("an index of nothing", [FTYP, &boxed(*b"moov", &[])].concat()),
        ("a transport stream of noise", stream),
        ("Matroska without an end", [b"\x1A\x45\xDF\xA3\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF".as_slice(), &[0; 64]].concat()),
        ("AVI of noise", [b"RIFF\xFF\xFF\xFF\x7FAVI LIST\xFF\xFF\xFF\x7Fhdrlavih".as_slice(), &[0xFF; 256]].concat()),
        ("MPEG of noise", [b"\0\0\x01\xBA".as_slice(), &[0x55; 4096]].concat()),
    ]
}
