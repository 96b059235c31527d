//! Whether a video needs a copy for browsers, and of which kind.

use photovault_domain::{Format, Rendition, Video, When};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: the original is played as it is, or nothing is wanted.
    Nothing,
    /// The same streams in an MP4 file.
    Remux,
    /// H.264 and AAC.
    Transcode,
}

/// Decides; pure.
pub(crate) fn plan(video: &Video, format: Format, policy: Rendition) -> Plan {
    let picture = &video.picture;
    let is_common =
        picture.codec == "h264" && picture.bits == 8 && !picture.profile.as_deref().is_some_and(|it| it.contains("4:"));
    let sounds = |codecs: &[&str]| video.sound.as_ref().is_none_or(|sound| codecs.contains(&sound.codec.as_str()));
    let fits_mp4 = is_common && sounds(&["aac", "mp3"]);
    let is_webm = ["vp8", "vp9", "av1"].contains(&picture.codec.as_str()) && sounds(&["opus", "vorbis"]);
    let plays = (format == Format::Mp4 && fits_mp4) || (format == Format::Webm && is_webm && picture.hdr.is_none());
    let is_large = picture.width.min(picture.height) > policy.lines
        || picture.bit_rate.is_some_and(|rate| rate > u64::from(policy.kbps) * 3 / 2 * 1000);
    match policy.when {
        When::Never => Plan::Nothing,
        When::Required if plays => Plan::Nothing,
        When::Optimal if plays && !is_large => Plan::Nothing,
        When::Required if fits_mp4 => Plan::Remux,
        When::Optimal | When::Always if fits_mp4 && !is_large => Plan::Remux,
        _ => Plan::Transcode,
    }
}

#[cfg(test)]
mod tests {
    use photovault_domain::{
        MovingPicture, Sound,
        When::{Always, Never, Optimal, Required},
    };

    use super::*;

    #[test]
    fn what_plays_is_left_alone_and_what_fits_is_copied() {
        let video = |codec: &str, bits: u8, height: u32, sound: Option<&str>| Video {
            picture: MovingPicture { codec: codec.into(), bits, width: 16 * height / 9, height, ..MovingPicture::default() },
            sound: sound.map(|codec| Sound { codec: codec.into(), channels: 2, sample_rate: 48_000 }),
            ..Video::default()
        };
        for (video, format, when, want) in [
            (video("h264", 8, 720, Some("aac")), Format::Mp4, Required, Plan::Nothing),
            (video("h264", 8, 2160, Some("aac")), Format::Mp4, Required, Plan::Nothing),
            (video("h264", 8, 2160, Some("aac")), Format::Mp4, Optimal, Plan::Transcode),
            (video("h264", 8, 720, Some("aac")), Format::Mp4, Optimal, Plan::Nothing),
            (video("h264", 8, 720, Some("aac")), Format::Mp4, Always, Plan::Remux),
            (video("h264", 8, 1080, None), Format::Mov, Required, Plan::Remux),
            (video("h264", 8, 1080, Some("aac")), Format::Mov, Optimal, Plan::Transcode),
            (video("h264", 8, 480, Some("pcm_s16le")), Format::Mov, Required, Plan::Transcode),
            (video("h264", 10, 480, None), Format::Mp4, Required, Plan::Transcode),
            (video("hevc", 8, 480, Some("aac")), Format::Mp4, Required, Plan::Transcode),
            (video("hevc", 8, 480, Some("aac")), Format::Mp4, Never, Plan::Nothing),
            (video("vp9", 8, 480, Some("opus")), Format::Webm, Required, Plan::Nothing),
            (video("vp9", 8, 480, Some("opus")), Format::Mkv, Required, Plan::Transcode),
        ] {
            let policy = Rendition { when, ..Rendition::default() };
            assert_eq!(plan(&video, format, policy), want, "{:?} {format:?} {when:?}", video.picture);
        }
    }
}
