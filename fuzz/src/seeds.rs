//! Sound inputs to begin from: small files of each format, events, the template, keys.

use serde_json::json;

/// Small photos and videos, headers for the most part: what parsers look at.
pub(crate) fn media() -> Vec<Vec<u8>> {
    let exif = exif();
    vec![
        jpeg(&exif),
        png(&exif),
        [b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x07\0\0\x07\0\0EXIF".as_slice(), &(exif.len() as u32).to_le_bytes(), &exif].concat(),
        b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\0\0\0!\xF9\x04\0\0\0\0\0,\0\0\0\0\x08\0\x08\0\0\x02\x07\x84\x8f\xa9\xcb\xed\x0f\x63\0;".to_vec(),
        tiff(),
        [b"BM".as_slice(), &[0; 12], &40_u32.to_le_bytes(), &8_u32.to_le_bytes(), &8_u32.to_le_bytes(), &[1, 0, 24, 0], &[0; 230]].concat(),
        heic(),
        raw(*b"MM\0*", b"NIKON\0"),
        raw(*b"MM\0*", b"PENTAX\0"),
        raw(*b"MMOR", b"OLYMPUS\0"),
        raf(),
        cr3(),
        b"\xFF\x0A\xFA\x7F\x01\x90\x08\x06\x01\0\0\0".to_vec(),
        [boxed(*b"JXL ", b"\r\n\x87\n"), boxed(*b"jxlp", b"\0\0\0\0\xFF\x0A\x41\0\0"), boxed(*b"Exif", b"\0\0\0\0II*\0abcd")].concat(),
        b"#EXTM3U\nhttp://127.0.0.1/x".to_vec(),
    ]
    .into_iter()
    .chain(videos())
    .collect()
}

/// Videos up to where their pictures begin.
pub(crate) fn videos() -> Vec<Vec<u8>> {
    let movie = [boxed(*b"mvhd", &[0; 100]), boxed(*b"trak", &boxed(*b"mdia", &[0; 8]))].concat();
    let avih = [&40_000_u32.to_le_bytes()[..], &[0; 12], &250_u32.to_le_bytes(), &[0; 36]].concat();
    let extended = riff(*b"LIST", &[&b"odml"[..], &riff(*b"dmlh", &[9, 0, 0, 0])].concat());
    let headers = riff(*b"LIST", &[&b"hdrl"[..], &riff(*b"avih", &avih), &extended].concat());
    vec![
        [boxed(*b"ftyp", b"isom\0\0\0\0isom"), boxed(*b"moov", &movie)].concat(),
        b"\x1A\x45\xDF\xA3\x8B\x42\x82\x88matroska\x18\x53\x80\x67\xFF\xEC\x81\0\x15\x49\xA9\x66\x92\x2A\xD7\xB1\x83\x0F\x42\x40\
          \x44\x89\x88\x40\x8F\x40\0\0\0\0\0\x1F\x43\xB6\x75\x80"
            .to_vec(),
        riff(*b"RIFF", &[&b"AVI "[..], &headers].concat()),
    ]
}

/// Exif blocks: TIFF directories with an Exif and a GPS directory.
pub(crate) fn exif_blocks() -> Vec<Vec<u8>> {
    vec![exif(), tiff()]
}

/// XMP packets: words, a face, a motion photo's directory.
pub(crate) fn xmp_packets() -> Vec<Vec<u8>> {
    let spaces = "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='http://purl.org/dc/elements/1.1/' \
        xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:g='http://www.metadataworkinggroup.com/schemas/regions/' \
        xmlns:a='http://ns.adobe.com/xmp/sType/Area#' xmlns:c='http://ns.google.com/photos/1.0/container/' \
        xmlns:i='http://ns.google.com/photos/1.0/container/item/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'";
    let packet = |body: &str| format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF {spaces}>{body}</rdf:RDF></x:xmpmeta>");
    let words = "<rdf:Description xmp:Rating='4' exif:GPSLatitude='48,12.5N' exif:GPSLongitude='16,22E' \
        exif:DateTimeOriginal='2019-07-04T12:30:05.123+02:00'><dc:subject><rdf:Bag><rdf:li>a &amp; &#98;</rdf:li></rdf:Bag></dc:subject>\
        </rdf:Description>";
    let face = "<rdf:Description><g:Regions rdf:parseType='Resource'><g:RegionList><rdf:Bag><rdf:li><rdf:Description g:Name='Ann'>\
        <g:Area a:x='0.5' a:y='0.5' a:w='0.1' a:h='0.1'/></rdf:Description></rdf:li></rdf:Bag></g:RegionList></g:Regions></rdf:Description>";
    let video = "<rdf:Description><c:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><c:Item i:Mime='video/mp4' i:Length='40'/>\
        </rdf:li></rdf:Seq></c:Directory></rdf:Description>";
    [words, face, video].map(|body| packet(body).into_bytes()).to_vec()
}

/// Photoshop's resources with an IPTC record.
pub(crate) fn photoshop_resources() -> Vec<Vec<u8>> {
    let set = |number: u8, data: &[u8]| [&[0x1C, 2, number][..], &(data.len() as u16).to_be_bytes(), data].concat();
    let record = [set(25, b"sea"), set(120, b"words"), set(55, b"20190704"), set(60, b"123005+0200")].concat();
    vec![[&b"8BIM\x04\x25\0\0\0\0\0\x02ab8BIM\x04\x04\0\0"[..], &(record.len() as u32).to_be_bytes(), &record].concat()]
}

/// The smallest JPEG with this in a segment.
pub(crate) fn jpeg_around(marker: u8, beginning: &[u8], body: &[u8]) -> Vec<u8> {
    let body = [beginning, &body[..body.len().min(65_000)]].concat();
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&[0xFF, 0xD8, 0xFF, marker][..], &length, &body, &[0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 2]]
        .concat()
}

/// Messages of the validate queue.
pub(crate) fn events() -> Vec<Vec<u8>> {
    let record = json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": "p"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {}, "s3": {"s3SchemaVersion": "1.0", "configurationId": "c",
            "bucket": {"name": "uploads", "arn": "arn:aws:s3:::uploads", "ownerIdentity": {"principalId": "p"}},
            "object": {"key": "users/ann/%C3%BC+%2B.jpg", "size": 1, "eTag": "e", "versionId": "v1", "sequencer": "0A"}}
    });
    let object = json!({"bucketName": "uploads", "objectKey": "a.jpg", "versionId": "v1"});
    let found = json!({"scanResultStatus": "THREATS_FOUND", "threats": [{"name": "EICAR"}]});
    let detail = json!({"s3ObjectDetails": object, "scanResultDetails": found});
    let result = json!({"detail-type": "GuardDuty Malware Protection Object Scan Result", "detail": detail});
    let job = json!({"user": "ann", "media": "0123456789abcdef0123456789abcdef", "stage": "thumbnail"});
    [json!({ "Records": [record] }), json!({"Event": "s3:TestEvent"}), result, job]
        .iter()
        .map(|event| event.to_string().into_bytes())
        .collect()
}

/// The template, whole.
pub(crate) fn template() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../template.yaml").to_vec()]
}

/// Object keys, as they arrive.
pub(crate) fn keys() -> Vec<Vec<u8>> {
    [
        "users/ann/holiday/a b.jpg",
        "a.jpg",
        "PXL_20230704_123005123.jpg",
        "signal-2023-07-04-12-30-05-123.jpg",
        "users/../x",
        "users//",
        "users/ann/",
        "%2B+é\u{301}/..\\C:",
    ]
    .map(|key| key.as_bytes().to_vec())
    .to_vec()
}

fn riff(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&kind[..], &(body.len() as u32).to_le_bytes(), body].concat()
}

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], &kind, body].concat()
}

fn entry(tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
    [&tag.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value.to_be_bytes()].concat()
}

fn directory(entries: &[Vec<u8>]) -> Vec<u8> {
    [&(entries.len() as u16).to_be_bytes()[..], &entries.concat(), &[0; 4]].concat()
}

fn exif() -> Vec<u8> {
    // The directory at 8 has four entries and ends at 62; Exif's follows, then GPS's, then the text of a date.
    let first = directory(&[
        entry(0x010F, 2, 4, u32::from_be_bytes(*b"abc\0")),
        entry(0x0112, 3, 1, 6 << 16),
        entry(0x8769, 4, 1, 62),
        entry(0x8825, 4, 1, 104),
    ]);
    let own = directory(&[entry(0x9003, 2, 20, 146), entry(0x829A, 5, 1, 146), entry(0x8827, 3, 1, 100 << 16)]);
    let gps = directory(&[entry(1, 2, 2, u32::from_be_bytes(*b"N\0\0\0")), entry(2, 5, 3, 146), entry(7, 5, 3, 146)]);
    [b"MM\0*\0\0\0\x08".as_slice(), &first, &own, &gps, b"2026:01:02 03:04:05\0\0\0\0\x07\0\0\0\x02"].concat()
}

fn tiff() -> Vec<u8> {
    let first = directory(&[
        entry(256, 4, 1, 8),
        entry(257, 4, 1, 8),
        entry(258, 3, 1, 8 << 16),
        entry(259, 3, 1, 1 << 16),
        entry(262, 3, 1, 1 << 16),
        entry(273, 4, 1, 110),
        entry(277, 3, 1, 1 << 16),
        entry(279, 4, 1, 64),
    ]);
    [b"MM\0*\0\0\0\x08".as_slice(), &first, &[9; 64]].concat()
}

/// A directory of a preview, one within it of a sensor's data, and one behind it; the JPEG lies at their end.
fn raw(magic: [u8; 4], maker: &[u8]) -> Vec<u8> {
    let preview = jpeg(&exif());
    let length = preview.len() as u32;
    // Three directories of 78, 54 and 30 bytes from 8 on, the maker's name at 170, the preview at 180.
    let mut first = directory(&[
        entry(0x010F, 2, maker.len() as u32, 170),
        entry(0x0112, 3, 1, 6 << 16),
        entry(0x014A, 4, 1, 86),
        entry(0x0201, 4, 1, 180),
        entry(0x0202, 4, 1, length),
        entry(0x8769, 4, 1, 140),
    ]);
    first.truncate(74);
    first.extend(140_u32.to_be_bytes());
    let sensor =
        directory(&[entry(256, 4, 1, 60), entry(257, 4, 1, 40), entry(262, 3, 1, 32803 << 16), entry(279, 4, 1, length)]);
    let own = directory(&[entry(0xA001, 3, 1, 0xFFFF << 16), entry(0xA005, 4, 1, 140)]);
    let mut file = [magic.as_slice(), &8_u32.to_be_bytes(), &first, &sensor, &own].concat();
    file.resize(170, 0);
    file.extend_from_slice(maker);
    file.resize(180, 0);
    [file, preview].concat()
}

fn raf() -> Vec<u8> {
    let preview = jpeg(&exif());
    let mut file = b"FUJIFILMCCD-RAW 0201".to_vec();
    file.resize(84, 0);
    file.extend([100_u32.to_be_bytes(), (preview.len() as u32).to_be_bytes()].concat());
    file.resize(100, 0);
    [file, preview].concat()
}

fn cr3() -> Vec<u8> {
    let block = b"II*\0\x08\0\0\0\x02\0\0\x01\x04\0\x01\0\0\0\x08\0\0\0\x01\x01\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0";
    let blocks = [b"CMT1", b"CMT2", b"CMT4"].map(|kind| boxed(*kind, block)).concat();
    let canon = [b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48".as_slice(), &blocks].concat();
    let table = [
        boxed(*b"stsz", &[[0; 4], 64_u32.to_be_bytes(), 1_u32.to_be_bytes()].concat()),
        boxed(*b"stco", &[[0; 4], 1_u32.to_be_bytes(), 8_u32.to_be_bytes()].concat()),
    ];
    let track = boxed(*b"trak", &boxed(*b"mdia", &boxed(*b"minf", &boxed(*b"stbl", &table.concat()))));
    let preview = jpeg(&exif());
    let shown = [&[0, 0, 0, 0, 0, 1, 0, 8, 0, 8, 0, 1], (preview.len() as u32).to_be_bytes().as_slice(), &preview].concat();
    let marker = b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16\0\0\0\0\0\0\0\x01";
    [
        boxed(*b"ftyp", b"crx \0\0\0\x01crx "),
        boxed(*b"moov", &[boxed(*b"uuid", &canon), track].concat()),
        boxed(*b"uuid", &[marker.as_slice(), &boxed(*b"PRVW", &shown)].concat()),
    ]
    .concat()
}

fn jpeg(exif: &[u8]) -> Vec<u8> {
    let segment = |marker: u8, body: &[u8]| [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat();
    let parts = [
        segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
        segment(0xE1, &[b"Exif\0\0", exif].concat()),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01profile"),
        segment(0xC2, &[8, 0, 8, 0, 8, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]),
        segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
    ];
    [&[0xFF, 0xD8][..], &parts.concat(), &[0x12, 0x34, 0xFF, 0, 0xFF, 0xD9]].concat()
}

fn png(exif: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat();
    // "words", packed with stored blocks (RFC 1950 and 1951).
    let packed = b"\x78\x01\x01\x05\0\xFA\xFFwords\x06\x74\x02\x2C";
    let parts = [
        chunk(b"IHDR", &[0, 0, 0, 8, 0, 0, 0, 8, 8, 2, 0, 0, 0]),
        chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]),
        chunk(b"iCCP", &[b"p\0\0".as_slice(), packed].concat()),
        chunk(b"zTXt", &[b"Raw profile type exif\0\0".as_slice(), packed].concat()),
        chunk(b"iTXt", &[b"k\0\x01\0en\0w\0".as_slice(), packed].concat()),
        chunk(b"eXIf", exif),
        chunk(b"IDAT", packed),
        chunk(b"IEND", &[]),
    ];
    [b"\x89PNG\r\n\x1a\n".as_slice(), &parts.concat()].concat()
}

fn heic() -> Vec<u8> {
    let ispe = boxed(*b"ispe", &[0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8]);
    let ipma = boxed(*b"ipma", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0x81]);
    let items = [boxed(*b"infe", b"\x02\0\0\0\0\x01\0\0grid\0"), boxed(*b"infe", b"\x02\0\0\0\0\x02\0\0Exif\0")].concat();
    let iloc = b"\x01\0\0\0\x44\0\0\x02\0\x01\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x08\0\x02\0\x01\0\0\0\x01\0\0\0\x08\0\0\0\x0c";
    let parts = [
        boxed(*b"pitm", &[0, 0, 0, 0, 0, 1]),
        boxed(*b"iinf", &[&[0, 0, 0, 0, 0, 2][..], &items].concat()),
        boxed(*b"iprp", &[boxed(*b"ipco", &ispe), ipma].concat()),
        boxed(*b"iloc", iloc),
        boxed(*b"idat", b"\0\0\x01\x01\0\x08\0\x08\0\0\0\0II*\0abcd"),
    ];
    [boxed(*b"ftyp", b"heic\0\0\0\0mif1"), boxed(*b"meta", &[vec![0; 4], parts.concat()].concat())].concat()
}
