//! A few seconds that move: an animated WebP, for a list under a pointer.

use std::time::{Duration, Instant};

use ffmpeg_next::{Dictionary, Packet, Rational, codec, encoder, format::Pixel};
use photovault_domain::MovingPicture;

use crate::{Picture, Unplayable, frames::Frames, open::unreadable, picture};

/// Milliseconds of video.
const LENGTH_MS: u64 = 3000;
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

/// Three seconds from `from_ms` on, or what there is; `None` of a video that has one frame there, and where FFmpeg has no encoder.
pub(crate) fn make(frames: &mut Frames, of: &MovingPicture, from_ms: u64) -> Result<Option<Preview>, Unplayable> {
    let Some(encoder) = encoder::find_by_name("libwebp_anim") else { return Ok(None) };
    let patience = Instant::now() + PATIENCE;
    frames.go_to(from_ms);
    let mut taken: Vec<(u64, Picture)> = Vec::new();
    while let Some(found) = frames.next()? {
        let since = found.at_ms.saturating_sub(taken.first().map_or(found.at_ms, |(first, _)| *first));
        if since >= LENGTH_MS || Instant::now() >= patience {
            break;
        }
        if since >= taken.len() as u64 * STEP_MS {
            taken.push((found.at_ms, picture::upright(&found.frame, of, SIDE)?));
        }
    }
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
