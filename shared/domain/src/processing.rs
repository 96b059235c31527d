//! Where the copy of a long video for browsers is made, in a function or by the worker, and how much work that is.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Hdr, Job, Rendition, Stage, Video};

/// A deployment's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// Who works.
    pub mode: Mode,
    /// Seconds of work from which the worker has a job: two thirds of the 15 minutes that Lambda gives.
    pub slow_from_s: u32,
    /// Seconds of video that the worker encodes at once, and loses at most when it is interrupted.
    pub segment_s: u32,
    /// Seconds that the worker may spend on one video, all attempts together.
    pub most_s: u64,
}

impl Default for Processing {
    fn default() -> Self {
        Self { mode: Mode::Hybrid, slow_from_s: 600, segment_s: 30, most_s: 6 * 3600 }
    }
}

impl Processing {
    /// Whether a job is for the worker.
    pub fn is_slow(&self, job: &Job) -> bool {
        job.stage == Stage::Video
            && match self.mode {
                Mode::LambdaOnly => false,
                Mode::WorkerOnly => true,
                Mode::Hybrid => job.work_s > self.slow_from_s,
            }
    }
}

/// Who makes what is made of videos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Functions, and the worker what would take them too long.
    Hybrid,
    /// Functions alone: what would take too long is not made.
    LambdaOnly,
    /// The worker alone.
    WorkerOnly,
}

/// Not one of the modes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not hybrid, lambda-only or worker-only")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "hybrid" => Ok(Self::Hybrid),
            "lambda-only" => Ok(Self::LambdaOnly),
            "worker-only" => Ok(Self::WorkerOnly),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}

/// CPU nanoseconds that a coded pixel takes to be decoded and made smaller, by FFmpeg's name of the codec and its bits.
/// Measured by `benches/video.py` on 29 November 2026 on clips with noise, under load, so they are upper bounds.
const DECODING_NS: &[(&str, bool, f64)] = &[
    ("h264", false, 5.5),
    ("hevc", false, 4.8),
    ("hevc", true, 5.5),
    ("vp9", false, 5.2),
    ("av1", false, 4.5),
    ("mpeg4", false, 2.6),
    ("prores", true, 12.6),
];
/// The same of a codec that is not in the table: as one that is dear.
const OTHER_NS: f64 = 11.0;
/// CPU nanoseconds that a pixel of the copy takes to be encoded.
const ENCODING_NS: f64 = 18.0;
/// CPU nanoseconds that a pixel of the copy takes to be brought from a high dynamic range into an ordinary one.
const TONE_MAPPING_NS: f64 = 24.0;
/// Cores that a function of 3008 MB has (Lambda gives one for 1769 MB).
const CORES: f64 = 1.7;

/// Seconds that a function would take to encode a video anew; pure, from what the probe found. Without a length nothing is told: 0.
pub fn predicted_work_s(video: &Video, policy: Rendition) -> u32 {
    let picture = &video.picture;
    let frames = video.duration_ms as f64 / 1000.0 * picture.frame_rate.unwrap_or(30.0);
    let coded = f64::from(picture.coded_width) * f64::from(picture.coded_height);
    let deep = picture.bits > 8;
    let rate = |deep: bool| DECODING_NS.iter().find(|(codec, of, _)| *codec == picture.codec && *of == deep);
    let decoding_ns = rate(deep).or_else(|| rate(!deep)).map_or(OTHER_NS, |(.., ns)| *ns);
    let (wide, high) = (f64::from(picture.width), f64::from(picture.height));
    let smaller = (f64::from(policy.lines) / wide.min(high).max(1.0)).min(1.0);
    let made = wide * high * smaller * smaller;
    let making_ns = ENCODING_NS + if matches!(picture.hdr, Some(Hdr::Pq | Hdr::Hlg)) { TONE_MAPPING_NS } else { 0.0 };
    (frames * (coded * decoding_ns + made * making_ns) / 1e9 / CORES).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MovingPicture;

    fn video(codec: &str, bits: u8, (width, height): (u32, u32), rate: f64, minutes: u64) -> Video {
        let picture = MovingPicture {
            codec: codec.into(),
            bits,
            coded_width: width,
            coded_height: height,
            width,
            height,
            frame_rate: Some(rate),
            ..MovingPicture::default()
        };
        Video { duration_ms: minutes * 60_000, picture, ..Video::default() }
    }

    #[test]
    fn work_grows_with_length_pixels_rate_and_codec() {
        let work = |video: &Video| predicted_work_s(video, Rendition::default());
        let (hd, uhd) = ((1920, 1080), (3840, 2160));
        let base = work(&video("h264", 8, hd, 30.0, 10));
        assert!((120..=300).contains(&base), "ten minutes of a phone's HD: {base} s");
        assert!(work(&video("h264", 8, hd, 30.0, 20)).abs_diff(2 * base) <= 1);
        assert!(work(&video("h264", 8, hd, 60.0, 10)).abs_diff(2 * base) <= 1);
        assert!(work(&video("h264", 8, uhd, 30.0, 10)) > base * 2);
        assert!(work(&video("hevc", 10, hd, 30.0, 10)) > work(&video("hevc", 8, hd, 30.0, 10)));
        assert!(work(&video("cinepak", 8, hd, 30.0, 10)) > base, "what is not known is taken for dear");
        let mut hlg = video("hevc", 10, uhd, 30.0, 10);
        hlg.picture.hdr = Some(Hdr::Hlg);
        assert!(work(&hlg) > work(&video("hevc", 10, uhd, 30.0, 10)));
        assert_eq!(work(&Video::default()), 0);
        let larger = predicted_work_s(&video("h264", 8, uhd, 30.0, 10), Rendition { lines: 1080, ..Rendition::default() });
        assert!(larger > work(&video("h264", 8, uhd, 30.0, 10)), "more lines are more work");
    }

    #[test]
    fn the_worker_has_what_is_too_much_for_a_function() {
        let media = || crate::MediaId::of_bytes(&"ann".parse().unwrap(), &crate::Sha256::from_digest([1; 32]));
        let job = |stage, work_s| Job { user: "ann".parse().unwrap(), media: media(), stage, created: None, asked: 0, work_s };
        for (mode, short, long) in [(Mode::Hybrid, false, true), (Mode::LambdaOnly, false, false), (Mode::WorkerOnly, true, true)]
        {
            let processing = Processing { mode, ..Processing::default() };
            assert_eq!(processing.is_slow(&job(Stage::Video, 600)), short, "{mode:?}");
            assert_eq!(processing.is_slow(&job(Stage::Video, 601)), long, "{mode:?}");
            assert!(!processing.is_slow(&job(Stage::Thumbnail, 601)), "{mode:?}");
        }
        assert_eq!("worker-only".parse(), Ok(Mode::WorkerOnly));
        assert!("both".parse::<Mode>().is_err());
    }
}
