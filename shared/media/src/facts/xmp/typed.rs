//! From XMP properties to facts.

use photovault_domain::{
    Camera, Captured, Confidence, Exposure, Facts, Lens, Place, Position, Region,
    limits::{MAX_REGIONS, MAX_XMP_ELEMENTS},
};

use super::{
    super::{kept, motion::Clue, some, time},
    Properties,
};

/// Everything that is understood.
pub(in crate::facts) fn facts(xmp: &Properties) -> Facts {
    let text = |name: &str| xmp.text(name).map(kept::text);
    let number = |name: &str| xmp.text(name).and_then(number);
    let mut keywords = Vec::new();
    kept::add_keywords(&mut keywords, xmp.texts("dc:subject").chain(xmp.texts("lr:hierarchicalSubject")));
    // digiKam's levels have `/` between them.
    let levels: Vec<String> = xmp.texts("digiKam:TagsList").take(MAX_XMP_ELEMENTS).map(|tag| tag.replace('/', "|")).collect();
    kept::add_keywords(&mut keywords, levels.iter().map(String::as_str));
    Facts {
        times: times(xmp),
        camera: some(Camera {
            make: text("tiff:Make"),
            model: text("tiff:Model"),
            serial: text("exifEX:BodySerialNumber").or_else(|| text("aux:SerialNumber")),
            software: text("tiff:Software"),
        }),
        lens: some(Lens { make: text("exifEX:LensMake"), model: text("exifEX:LensModel").or_else(|| text("aux:Lens")) }),
        exposure: some(Exposure {
            time_s: number("exif:ExposureTime"),
            f_number: number("exif:FNumber"),
            iso: number("exif:ISOSpeedRatings").or_else(|| number("exifEX:PhotographicSensitivity")),
            bias_ev: number("exif:ExposureBiasValue"),
            focal_mm: number("exif:FocalLength"),
            focal_35mm_mm: number("exif:FocalLengthIn35mmFilm"),
            flash_fired: xmp.structs("exif:Flash").next().and_then(|flash| flash.text("exif:Fired")).map(is_true),
        }),
        position: position(xmp),
        title: text("dc:title"),
        description: text("dc:description"),
        artist: some(xmp.texts("dc:creator").collect::<Vec<_>>().join(", ")).map(|names| kept::text(&names)),
        copyright: text("dc:rights"),
        keywords,
        rating: number("xmp:Rating").filter(|stars| (-1.0..=5.0).contains(stars)).map(|stars| stars as i8),
        label: xmp.text("xmp:Label").map(kept::word),
        place: some(Place {
            location: xmp.text("Iptc4xmpCore:Location").map(kept::word),
            city: xmp.text("photoshop:City").map(kept::word),
            region: xmp.text("photoshop:State").map(kept::word),
            country: xmp.text("photoshop:Country").map(kept::word),
        }),
        regions: regions(xmp),
        burst: xmp.text("GCamera:BurstID").map(kept::word),
        panorama: panorama(xmp),
        ..Facts::default()
    }
}

fn times(xmp: &Properties) -> Vec<Captured> {
    [
        ("exif:DateTimeOriginal", Confidence::High),
        ("photoshop:DateCreated", Confidence::Medium),
        ("exif:DateTimeDigitized", Confidence::Medium),
        ("xmp:CreateDate", Confidence::Medium),
        ("xmp:ModifyDate", Confidence::Low),
    ]
    .into_iter()
    .filter_map(|(name, confidence)| time::captured(xmp.text(name)?, &format!("XMP {name}"), confidence))
    .collect()
}

fn position(xmp: &Properties) -> Option<Position> {
    let latitude = degrees(xmp.text("exif:GPSLatitude")?, 90.0)?;
    let longitude = degrees(xmp.text("exif:GPSLongitude")?, 180.0)?;
    let below_sea = xmp.text("exif:GPSAltitudeRef") == Some("1");
    let altitude_m = xmp.text("exif:GPSAltitude").and_then(number).map(|metres| if below_sea { -metres } else { metres });
    let direction_deg = xmp.text("exif:GPSImgDirection").and_then(number).filter(|degrees| (0.0..=360.0).contains(degrees));
    Some(Position { latitude, longitude, altitude_m, direction_deg, speed_m_s: None })
}

/// `48,12.5N` or `48,12,30N` (XMP part 2, `GPSCoordinate`), or plain degrees.
fn degrees(text: &str, limit: f64) -> Option<f64> {
    let (digits, sign) = match text.as_bytes().last()? {
        b'N' | b'E' => (&text[..text.len() - 1], 1.0),
        b'S' | b'W' => (&text[..text.len() - 1], -1.0),
        _ => (text, 1.0),
    };
    let parts: Vec<f64> = digits.splitn(3, ',').map(number).collect::<Option<_>>()?;
    let degrees = parts.iter().rev().fold(0.0, |sum, part| sum / 60.0 + part) * sign;
    (degrees.abs() <= limit).then_some(degrees)
}

/// A number or a fraction.
fn number(text: &str) -> Option<f64> {
    let number = match text.split_once('/') {
        Some((above, below)) => above.trim().parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?,
        None => text.trim().parse().ok()?,
    };
    number.is_finite().then_some(number)
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}

/// Regions of the Metadata Working Group, and those of Windows.
fn regions(xmp: &Properties) -> Vec<Region> {
    let mwg = xmp.structs("mwg-rs:Regions").flat_map(|regions| regions.structs("mwg-rs:RegionList")).filter_map(|region| {
        let area = region.structs("mwg-rs:Area").next()?;
        let side = |name: &str| area.text(name).and_then(number).unwrap_or(0.0);
        let (width, height) = (side("stArea:w"), side("stArea:h"));
        Some(Region {
            name: region.text("mwg-rs:Name").map(kept::word),
            kind: region.text("mwg-rs:Type").map(kept::word),
            // The area's place is its centre.
            x: side("stArea:x") - width / 2.0,
            y: side("stArea:y") - height / 2.0,
            width,
            height,
        })
    });
    let windows = xmp.structs("MP:RegionInfo").flat_map(|regions| regions.structs("MPRI:Regions")).filter_map(|region| {
        let sides: Vec<f64> = region.text("MPReg:Rectangle")?.splitn(4, ',').map(number).collect::<Option<_>>()?;
        let [x, y, width, height] = *sides.first_chunk()?;
        let name = region.text("MPReg:PersonDisplayName").map(kept::word);
        Some(Region { name, kind: Some("Face".to_owned()), x, y, width, height })
    });
    let inside = |region: &Region| {
        let within = |at: f64, length: f64| at > -1.0 && at + length < 2.0 && length >= 0.0;
        within(region.x, region.width) && within(region.y, region.height)
    };
    mwg.chain(windows).filter(inside).take(MAX_REGIONS).collect()
}

fn panorama(xmp: &Properties) -> Option<String> {
    let shown = xmp.text("GPano:UsePanoramaViewer").is_none_or(is_true);
    let projection =
        xmp.text("GPano:ProjectionType").or_else(|| xmp.text("GPano:FullPanoWidthPixels").map(|_| "equirectangular"));
    projection.filter(|_| shown).map(kept::word)
}

/// Where a motion photo says that its video is (Android's "Motion Photo format 1.0", and `MicroVideo` before it).
pub(in crate::facts) fn motion(xmp: &Properties) -> Option<Clue> {
    let number = |name: &str| xmp.text(name).and_then(|text| text.parse::<u64>().ok());
    let still_at_us =
        number("GCamera:MotionPhotoPresentationTimestampUs").or_else(|| number("GCamera:MicroVideoPresentationTimestampUs"));
    let items: Vec<(bool, u64)> = xmp
        .structs("Container:Directory")
        .filter_map(|entry| entry.structs("Container:Item").next())
        .map(|item| {
            let is_video = item.text("Item:Semantic") == Some("MotionPhoto")
                || item.text("Item:Mime").is_some_and(|mime| mime.starts_with("video/"));
            (is_video, item.text("Item:Length").and_then(|length| length.parse().ok()).unwrap_or(0))
        })
        .collect();
    if let Some(at) = items.iter().position(|(is_video, _)| *is_video) {
        let from_end = items[at..].iter().fold(0_u64, |sum, (_, length)| sum.saturating_add(*length));
        return Some(Clue { from_end, length: items[at].1, source: "XMP Container", still_at_us });
    }
    let is_motion = [number("GCamera:MicroVideo"), number("GCamera:MotionPhoto")].contains(&Some(1));
    let from_end = number("GCamera:MicroVideoOffset").filter(|_| is_motion || still_at_us.is_some());
    match from_end {
        Some(from_end) => Some(Clue { from_end, length: from_end, source: "XMP MicroVideo", still_at_us }),
        None => is_motion.then_some(Clue { from_end: 0, length: 0, source: "XMP MicroVideo", still_at_us }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(attributes: &str, body: &str) -> Properties {
        let spaces = [
            ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
            ("dc", "http://purl.org/dc/elements/1.1/"),
            ("xmp", "http://ns.adobe.com/xap/1.0/"),
            ("exif", "http://ns.adobe.com/exif/1.0/"),
            ("lr", "http://ns.adobe.com/lightroom/1.0/"),
            ("digiKam", "http://www.digikam.org/ns/1.0/"),
            ("mwg-rs", "http://www.metadataworkinggroup.com/schemas/regions/"),
            ("stArea", "http://ns.adobe.com/xmp/sType/Area#"),
            ("GCamera", "http://ns.google.com/photos/1.0/camera/"),
            ("Container", "http://ns.google.com/photos/1.0/container/"),
            ("Item", "http://ns.google.com/photos/1.0/container/item/"),
            ("GPano", "http://ns.google.com/photos/1.0/panorama/"),
        ];
        let spaces: Vec<String> = spaces.iter().map(|(prefix, uri)| format!("xmlns:{prefix}='{uri}'")).collect();
        let packet = format!("<rdf:RDF {}><rdf:Description {attributes}>{body}</rdf:Description></rdf:RDF>", spaces.join(" "));
        let (properties, trouble) = super::super::read(packet.as_bytes());
        assert_eq!(trouble, None);
        properties
    }

    #[test]
    fn words_stars_and_keywords_are_read() {
        let bag = |name: &str, items: &[&str]| {
            let items = items.iter().map(|item| ["<rdf:li>", item, "</rdf:li>"].concat()).collect::<String>();
            format!("<{name}><rdf:Bag>{items}</rdf:Bag></{name}>")
        };
        let body = [
            bag("dc:subject", &["sea", "sea", "sand"]),
            bag("lr:hierarchicalSubject", &["places|sea"]),
            bag("digiKam:TagsList", &["places/sea", "people/Ann"]),
            bag("dc:creator", &["Ann", "Bob"]),
        ];
        let found = facts(&described("xmp:Rating='5' xmp:Label='Red'", &body.concat()));
        assert_eq!(found.keywords, ["sea", "sand", "places|sea", "people|Ann"]);
        assert_eq!((found.artist.as_deref(), found.rating, found.label.as_deref()), (Some("Ann, Bob"), Some(5), Some("Red")));
        assert_eq!(facts(&described("xmp:Rating='-1'", "")).rating, Some(-1));
        assert_eq!(facts(&described("xmp:Rating='99'", "")).rating, None);
    }

    #[test]
    fn coordinates_come_in_three_shapes() {
        for (text, want) in [
            ("48,12.5N", Some(48.0 + 12.5 / 60.0)),
            ("48,12,30S", Some(-(48.0 + 12.5 / 60.0))),
            ("-48.5", Some(-48.5)),
            ("91,0N", None),
            ("N", None),
            ("1/0N", None),
        ] {
            assert_eq!(degrees(text, 90.0), want, "{text}");
        }
        let found = facts(&described(
            "exif:GPSLatitude='0,0N' exif:GPSLongitude='16,30E' exif:GPSAltitude='25/10' exif:GPSAltitudeRef='1' exif:GPSImgDirection='1763/10'",
            "",
        ));
        let want =
            Position { latitude: 0.0, longitude: 16.5, altitude_m: Some(-2.5), direction_deg: Some(176.3), speed_m_s: None };
        assert_eq!(found.position, Some(want));
    }

    #[test]
    fn faces_are_placed_by_their_corner() {
        let area = "<mwg-rs:Area stArea:x='0.5' stArea:y='0.25' stArea:w='0.2' stArea:h='0.1'/>";
        let region = format!("<rdf:li><rdf:Description mwg-rs:Name='Ann' mwg-rs:Type='Face'>{area}</rdf:Description></rdf:li>");
        let outside = region.replace("0.5", "7.5");
        let list = format!("<mwg-rs:RegionList><rdf:Bag>{region}{outside}</rdf:Bag></mwg-rs:RegionList>");
        let found = facts(&described("", &format!("<mwg-rs:Regions rdf:parseType='Resource'>{list}</mwg-rs:Regions>")));
        let want =
            Region { name: Some("Ann".to_owned()), kind: Some("Face".to_owned()), x: 0.4, y: 0.2, width: 0.2, height: 0.1 };
        assert_eq!(found.regions, [want]);
    }

    #[test]
    fn videos_are_counted_from_the_end() {
        let item = |rest: &str| format!("<rdf:li rdf:parseType='Resource'><Container:Item {rest}/></rdf:li>");
        let items = [
            item("Item:Mime='image/jpeg' Item:Semantic='Primary' Item:Length='0' Item:Padding='0'"),
            item("Item:Mime='video/mp4' Item:Semantic='MotionPhoto' Item:Length='700'"),
            item("Item:Mime='image/jpeg' Item:Semantic='GainMap' Item:Length='20'"),
        ];
        let directory = format!("<Container:Directory><rdf:Seq>{}</rdf:Seq></Container:Directory>", items.concat());
        let clue = motion(&described("GCamera:MotionPhoto='1' GCamera:MotionPhotoPresentationTimestampUs='500'", &directory));
        let want = Clue { from_end: 720, length: 700, source: "XMP Container", still_at_us: Some(500) };
        assert_eq!(clue, Some(want));
        let micro = motion(&described("GCamera:MicroVideo='1' GCamera:MicroVideoOffset='99'", ""));
        assert_eq!(micro.map(|clue| (clue.from_end, clue.length, clue.source)), Some((99, 99, "XMP MicroVideo")));
        assert_eq!(motion(&described("GCamera:MicroVideo='0' GCamera:MicroVideoOffset='0'", "")), None);
    }

    #[test]
    fn panoramas_say_how_they_are_projected() {
        let panorama = |attributes: &str| facts(&described(attributes, "")).panorama;
        assert_eq!(panorama("GPano:ProjectionType='cylindrical'").as_deref(), Some("cylindrical"));
        assert_eq!(panorama("GPano:ProjectionType='equirectangular' GPano:UsePanoramaViewer='False'"), None);
        assert_eq!(panorama(""), None);
    }
}
