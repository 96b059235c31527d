//! Facets: what the stages know of an item. Shapes only; `shared/media` finds the values.

use serde::{Deserialize, Serialize};

use crate::{Cell, Look, Tags, UtcMs, VideoFacet};

/// What a stage found out about an item, to be written with its ledger entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Facet {
    /// The thumbnail stage's: the files, and what was seen while they were made.
    Pictures(Derivatives, Look),
    /// The metadata stage's.
    Facts(Box<Facts>),
    /// The video stage's.
    Video(Box<VideoFacet>),
    /// The memories stage's: where in the timeline the item stands now.
    Placed(UtcMs),
    /// The tag stage's.
    Tags(Box<Tags>),
}

/// What an original's metadata says. Absent facts are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Exif orientation, 1..=8 (Exif 3.0, tag 0x0112), as stored; HEIC is upright by its own boxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u8>,
    /// When the picture was taken: the most trusted of `times`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
    /// Every time that was considered, the chosen one included, the most trusted first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<Captured>,
    /// Who made the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Camera>,
    /// What stood in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<Lens>,
    /// How it was exposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<Exposure>,
    /// Where it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What lies there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub located: Option<Located>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Caption. Empty where the file has one that is blank, as many cameras write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who took it. Empty where the file says so with blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Whose it is. Empty where the file says so with blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
    /// Keywords, each once; levels of a hierarchy stand in one with `|` between them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// 1..=5 stars, 0 for none, -1 for rejected (XMP, `xmp:Rating`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<i8>,
    /// The name of a colour or of a state of work (XMP, `xmp:Label`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What the place is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Faces and other areas that somebody marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// A video inside the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motion: Option<Motion>,
    /// What the two files of a Live Photo have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// What the pictures of a burst have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<String>,
    /// How it shows that it is a panorama: a projection of `GPano`, or `wide`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panorama: Option<String>,
    /// Whether it is a picture of a screen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub screenshot: bool,
}

impl Facts {
    /// Whether its town, region or country is called so, by the tables or by the file; large and small letters are the same.
    pub fn is_at(&self, name: &str) -> bool {
        let town = self.located.iter().filter_map(|located| located.town.as_ref());
        let known = town.flat_map(|town| [Some(&town.name), town.region.as_ref()]);
        let known = known.chain(self.located.iter().map(|located| located.country.as_ref()));
        let said = self.place.iter().flat_map(|place| [place.city.as_ref(), place.region.as_ref(), place.country.as_ref()]);
        known.chain(said).flatten().any(|known| known.to_lowercase() == name.to_lowercase())
    }

    /// What its place is called: the city that the file names, else the nearest town, else the country.
    pub fn place_name(&self) -> Option<&str> {
        let (said, located) = (self.place.as_ref(), self.located.as_ref());
        let town = || Some(located?.town.as_ref()?.name.as_str());
        let country = || said.and_then(|place| place.country.as_deref()).or_else(|| located?.country.as_deref());
        said.and_then(|place| place.city.as_deref()).or_else(town).or_else(country)
    }
}

/// A capture time: local as the camera showed it, with the offset where it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// `YYYY-MM-DDTHH:MM:SS`.
    pub local: String,
    /// Digits after the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsec: Option<String>,
    /// `+HH:MM` or `-HH:MM`; absent means that the time floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
    /// What the offset was told from, where another source than the time's own said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_source: Option<String>,
    /// The tag that it came from, such as `Exif DateTimeOriginal`.
    pub source: String,
    /// How far it can be trusted.
    #[serde(default)]
    pub confidence: Confidence,
    /// Only the day is known: the time of day means nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub day_only: bool,
    /// Why it is trusted less than its source deserves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

impl Captured {
    /// The source of a time that is the first upload's, since nothing tells another.
    pub const UPLOAD: &str = "upload";
}

/// How far a capture time can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It may be the time of something else: of an edit, a download, an upload.
    #[default]
    Low,
    /// Somebody meant the capture time, and may have rounded or guessed it.
    Medium,
    /// The camera wrote it when it took the picture.
    High,
}

impl Confidence {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a place is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// A part of a city, or a name for the spot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Province or state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Where a position lies, by tables that come with the program. What [`Place`] says, somebody wrote into the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// The cell of the globe, of [`CELL_RESOLUTION`](crate::CELL_RESOLUTION).
    pub cell: Cell,
    /// The nearest populated place, if it is within 25 km.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town: Option<Town>,
    /// The country (ISO 3166-1, two letters).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A populated place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Town {
    /// What it is called, in Latin letters.
    pub name: String,
    /// Its province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Metres to its middle.
    pub distance_m: u32,
}

/// An area of the picture as stored, before orientation. In fractions of its sides, 0..=1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Who or what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `Face`, `Pet`, `Focus` or `BarCode` (MWG guidelines 2.0), or another program's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// A video inside a photo's file. There is one: the bytes at the place begin an MP4 or `QuickTime` file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Motion {
    /// The video's first byte.
    pub at: u64,
    /// Bytes.
    pub length: u64,
    /// Who says where it is: `XMP Container`, `XMP MicroVideo`, `Samsung trailer`, `mpvd box` or `found in the file`.
    pub source: String,
    /// When the still was taken, in microseconds of the video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_at_us: Option<u64>,
}

/// The camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Camera {
    /// Manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Body serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Firmware or program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// The lens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lens {
    /// Manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// The exposure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exposure {
    /// Exposure time in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_s: Option<f64>,
    /// Focal ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// Sensitivity, ISO 12232.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso: Option<f64>,
    /// Exposure compensation in EV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias_ev: Option<f64>,
    /// Focal length in millimetres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_mm: Option<f64>,
    /// Focal length in millimetres on 35 mm film.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_35mm_mm: Option<f64>,
    /// Whether the flash fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flash_fired: Option<bool>,
}

/// A position on the WGS 84 ellipsoid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Degrees, north positive.
    pub latitude: f64,
    /// Degrees, east positive.
    pub longitude: f64,
    /// Metres above sea level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude_m: Option<f64>,
    /// Where the camera looked: degrees clockwise from north.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction_deg: Option<f64>,
    /// How fast it moved, in metres a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_m_s: Option<f64>,
}

/// What the thumbnail stage made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivatives {
    /// Smallest first.
    pub files: Vec<Derivative>,
    /// The thumbhash of the picture (a placeholder of 20–30 bytes), base64.
    pub thumbhash: String,
    /// How the original carries what a brighter screen shows, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_map: Option<GainMap>,
}

/// A picture of factors beside the picture: what a screen of high dynamic range multiplies it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GainMap {
    /// Ultra HDR (Android, Adobe): a second picture in a JPEG, described by XMP of `hdr-gain-map/1.0`.
    UltraHdr,
    /// ISO 21496-1.
    Iso,
    /// Apple's auxiliary picture `hdrgainmap`.
    Apple,
}

/// One file that a stage made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivative {
    /// `small`, `medium`, `large` or `full`; one may be there in two media types, JPEG first.
    pub name: String,
    /// Its key in the vault bucket.
    pub key: String,
    /// IANA media type.
    pub mime: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes.
    pub size_bytes: u64,
}
