//! Facets: what the stages know of an item. Shapes only; `shared/media` finds the values.

use serde::{Deserialize, Serialize};

use crate::Look;

/// What a stage found out about an item, to be written with its ledger entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Facet {
    /// The thumbnail stage's: the files, and what was seen while they were made.
    Pictures(Derivatives, Look),
    /// The metadata stage's.
    Facts(Facts),
}

/// What an original's metadata says. Absent facts are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Exif orientation, 1..=8 (Exif 3.0, tag 0x0112), as stored; HEIC is upright by its own boxes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orientation: Option<u8>,
    /// When the picture was taken, as the camera's clock said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
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
    /// Image description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Artist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Copyright.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
}

/// A capture time: local as the camera showed it, with the offset only where the file states one.
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
    /// The tag that it came from, such as `Exif DateTimeOriginal`.
    pub source: String,
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
