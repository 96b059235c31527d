//! The ground truth of a sample library, as it is written to `truth.json`.

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};

use super::plan::Shot;

/// The whole of `truth.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Truth {
    pub(crate) seed: u64,
    pub(crate) photos: Vec<TruePhoto>,
}

/// What is true of one photo.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TruePhoto {
    /// Relative to the folder that holds the photos.
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
    /// Pixels as stored, before orientation.
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) orientation: u8,
    pub(crate) camera: TrueCamera,
    pub(crate) captured: TrueTime,
    /// Where it was taken, whether or not the file says so.
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) position_in_file: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) screenshot: bool,
    pub(crate) moment: String,
    pub(crate) trip: Option<String>,
    pub(crate) burst: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrueCamera {
    pub(crate) make: &'static str,
    pub(crate) model: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrueTime {
    pub(crate) local: String,
    pub(crate) subsec: String,
    pub(crate) offset: String,
    pub(crate) offset_in_file: bool,
    pub(crate) utc_ms: i64,
    /// When it was taken, where the camera's clock was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) truly_utc_ms: Option<i64>,
}

impl TruePhoto {
    /// What is true of `shot`, written as a file of these pixels, bytes and hash.
    pub(crate) fn of(shot: &Shot, width: u32, height: u32, size_bytes: u64, sha256: String) -> Self {
        Self {
            path: shot.path.clone(),
            sha256,
            size_bytes,
            width,
            height,
            orientation: shot.orientation,
            camera: TrueCamera { make: shot.camera.make, model: shot.camera.model },
            captured: TrueTime {
                local: local_time(shot.utc_ms, shot.offset_minutes),
                subsec: subsecond(shot.utc_ms),
                offset: offset_text(shot.offset_minutes),
                offset_in_file: shot.camera.writes_offset,
                utc_ms: shot.utc_ms,
                truly_utc_ms: (shot.truly_utc_ms != shot.utc_ms).then_some(shot.truly_utc_ms),
            },
            latitude: degrees(shot.position.latitude_mas),
            longitude: degrees(shot.position.longitude_mas),
            position_in_file: shot.has_position,
            screenshot: shot.is_screenshot,
            moment: format!("moment-{:03}", shot.moment),
            trip: shot.trip.map(|trip| format!("trip-{trip:02}")),
            burst: shot.burst.map(|burst| format!("burst-{burst:03}")),
        }
    }
}

/// `2024-07-04T12:30:05` at that offset.
pub(crate) fn local_time(utc_ms: i64, offset_minutes: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(utc_ms.div_euclid(1000)).expect("samples are taken in our time");
    let offset = UtcOffset::from_whole_seconds(offset_minutes as i32 * 60).expect("offsets are those of the table");
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    at.to_offset(offset).format(format).expect("every instant can be written")
}

/// Milliseconds, three digits.
pub(crate) fn subsecond(utc_ms: i64) -> String {
    format!("{:03}", utc_ms.rem_euclid(1000))
}

/// `+05:45`.
pub(crate) fn offset_text(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

fn degrees(mas: i64) -> f64 {
    (mas as f64 / 3_600_000.0 * 1e8).round() / 1e8
}
