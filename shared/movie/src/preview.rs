//! A few seconds that move: an animated WebP, for a list under a pointer.

use std::time::{Duration, Instant};

use ffmpeg_next::{Dictionary, Packet, Rational, codec, encoder, format::Pixel};
use photovault_domain::{MovingPicture, Video};

use crate::{Picture, Unplayable, frames::Frames, open::unreadable, picture};

/// Milliseconds of video.
const LENGTH_MS: u64 = 3000;
/// So much is left of the video behind the poster frame, or the preview is the end of the video.
const LEAST_MS: u64 = 1000;
/// Milliseconds between its frames: eight a second.
const STEP_MS: u64 = 125;
/// Pixels of its longest side.
const SIDE: u32 = 320;
/// The encoder's scale of 0 to 100.
const QUALITY: &str = "60";
/// How long frames are decoded for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// An animated picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The file, WebP.
    pub bytes: Vec<u8>,
}

/// Three seconds from the poster frame on, or what there is; `None` of a video that has one frame there, and where FFmpeg has no encoder.
pub(crate) fn make(frames: &mut Frames, video: &Video) -> Result<Option<Preview>, Unplayable> {
    let Some(encoder) = encoder::find_by_name("libwebp_anim") else { return Ok(None) };
    let taken = moments(frames, video)?;
    let (Some((first, one)), true) = (taken.first(), taken.len() > 1) else { return Ok(None) };
    let (width, height) = (one.width, one.height);
    let moments: Vec<_> = taken.iter().map(|(at_ms, picture)| (at_ms - first, picture)).collect();
    // Frames of another size in the middle of a video are rare, and not worth a file.
    if moments.iter().any(|(_, picture)| (picture.width, picture.height) != (width, height)) {
        return Ok(None);
    }
    let bytes = animated(encoder, (width, height), &moments).map_err(unreadable)?;
    Ok(Some(Preview { width, height, bytes }))
}

/// The pictures of a preview, and when each is shown.
fn moments(frames: &mut Frames, video: &Video) -> Result<Vec<(u64, Picture)>, Unplayable> {
    let from_ms = match video.duration_ms {
        0 => video.poster_ms,
        length if length.saturating_sub(video.poster_ms) >= LEAST_MS => video.poster_ms,
        length => length.saturating_sub(LENGTH_MS).min(video.poster_ms),
    };
    let patience = Instant::now() + PATIENCE;
    for begin_ms in [from_ms, 0] {
        frames.go_to(begin_ms);
        let taken = pictures(frames, &video.picture, from_ms, patience)?;
        // A container without an index may have been sought behind its last key frame.
        if !taken.is_empty() || from_ms == 0 {
            return Ok(taken);
        }
    }
    Ok(Vec::new())
}

/// Small pictures from a moment on. What comes before it, since a key frame, is decoded and not shown; so is black before something else.
fn pictures(frames: &mut Frames, of: &MovingPicture, from_ms: u64, patience: Instant) -> Result<Vec<(u64, Picture)>, Unplayable> {
    let mut taken: Vec<(u64, Picture)> = Vec::new();
    while let Some(found) = frames.next()? {
        let since = found.at_ms.saturating_sub(taken.first().map_or(found.at_ms, |(first, _)| *first));
        if since >= LENGTH_MS || Instant::now() >= patience {
            break;
        }
        if found.at_ms >= from_ms && since >= taken.len() as u64 * STEP_MS {
            taken.push((found.at_ms, picture::upright(&found.frame, of, SIDE)?));
        }
    }
    let lit = taken.iter().position(|(_, picture)| !picture.is_black()).unwrap_or(0);
    if taken.len() - lit > 1 {
        taken.drain(..lit);
    }
    Ok(taken)
}

/// The encoder gives one packet in the end, which is the file.
fn animated(
    codec: ffmpeg_next::Codec,
    (width, height): (u32, u32),
    moments: &[(u64, &Picture)],
) -> Result<Vec<u8>, ffmpeg_next::Error> {
    let mut encoder = codec::context::Context::new_with_codec(codec).encoder().video()?;
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(Pixel::YUV420P);
    encoder.set_time_base(Rational(1, 1000));
    let mut options = Dictionary::new();
    options.set("quality", QUALITY);
    let mut encoder = encoder.open_as_with(codec, options)?;
    for (at_ms, picture) in moments {
        let mut frame = picture::to_yuv(picture)?;
        frame.set_pts(i64::try_from(*at_ms).ok());
        encoder.send_frame(&frame)?;
    }
    encoder.send_eof()?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet)?;
    Ok(packet.data().unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write as _};

    use photovault_domain::Format;
    use photovault_tests::film::Film;

    use super::*;
    use crate::{open, probe};

    /// What would be shown of a film with a poster frame there: times, and whether each is black.
    fn taken(film: &Film, format: Format, poster_ms: u64) -> Vec<(u64, bool)> {
        let stored = tempfile::NamedTempFile::new().unwrap();
        stored.as_file().write_all(&film.bytes()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let mut input = open::open(File::open(stored.path()).unwrap(), format, deadline).unwrap();
        let (video, _) = probe::probe(&mut input, format).unwrap();
        let mut frames = Frames::new(input, deadline).unwrap();
        let taken = moments(&mut frames, &Video { poster_ms, ..video }).unwrap();
        taken.iter().map(|(at_ms, picture)| (*at_ms, picture.is_black())).collect()
    }

    #[test]
    fn it_begins_at_the_poster_frame_and_not_at_the_key_frame_before() {
        let film = Film { frames: 150, black: 60, every: 500, ..Film::default() };
        let taken = taken(&film, Format::Mov, 2600);
        assert!(taken[0].0 == 2600 && taken.len() > 20 && taken.iter().all(|(_, is_black)| !is_black), "{taken:?}");
    }

    #[test]
    fn near_the_end_it_is_the_end_without_what_is_black_in_front() {
        let film = Film { frames: 70, black: 60, every: 500, ..Film::default() };
        let taken = taken(&film, Format::Mov, 2700);
        assert!(taken[0].0 >= 2400 && taken.len() > 1 && taken.iter().all(|(_, is_black)| !is_black), "{taken:?}");
    }

    #[test]
    fn a_stream_with_one_key_frame_has_one_too() {
        let taken = taken(&Film { container: "mpegts", every: 250, ..Film::default() }, Format::Ts, 800);
        assert!(taken[0].0 >= 760 && taken.len() > 5, "{taken:?}");
    }
}
