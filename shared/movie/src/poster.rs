//! The frame that stands for a video: sharp, well exposed, never black where another one is there.

use std::time::{Duration, Instant};

use ffmpeg_next::frame;
use photovault_domain::fit;

use crate::{
    Unplayable,
    frames::{Frames, Timed},
    open::unreadable,
    picture::{self, BLACK},
};

/// Where it is looked first, in hundredths of the video's length: key frames are cheap to reach.
const PLACES: &[u64] = &[25, 50, 75, 10, 0];
/// So many different frames are enough.
const ENOUGH: usize = 3;
/// Of a video with few key frames, one frame in so many is looked at,
const EVERY: usize = 12;
/// among so many,
const MOST_FRAMES: usize = 480;
/// for so long.
const PATIENCE: Duration = Duration::from_secs(4);
/// Pixels of the longest side of what is judged.
const JUDGED_SIDE: u32 = 320;

/// The frame that was chosen.
pub(crate) struct Chosen {
    pub(crate) frame: frame::Video,
    pub(crate) at_ms: u64,
    pub(crate) note: Option<String>,
}

/// Looks at frames all over the video.
pub(crate) fn choose(frames: &mut Frames, duration_ms: u64) -> Result<Chosen, Unplayable> {
    let mut best: Option<(Verdict, Timed)> = None;
    let mut seen = Vec::new();
    for place in PLACES {
        let Some(found) = frames.key_at(duration_ms * place / 100)? else { continue };
        if !seen.contains(&found.at_ms) {
            seen.push(found.at_ms);
            consider(&mut best, found)?;
        }
    }
    let is_good = best.as_ref().is_some_and(|(verdict, _)| !verdict.is_black);
    if seen.len() < ENOUGH || !is_good {
        let patience = Instant::now() + PATIENCE;
        frames.go_to(0);
        for number in 0..MOST_FRAMES {
            let Some(found) = frames.next()? else { break };
            if number % EVERY == 0 || best.is_none() {
                consider(&mut best, found)?;
            }
            if Instant::now() >= patience {
                break;
            }
        }
    }
    let Some((verdict, Timed { frame, at_ms })) = best else {
        return Err(Unplayable::new("This video is damaged: none of its pictures can be decoded."));
    };
    let note = verdict.is_black.then(|| "Every frame that was looked at is black.".to_owned());
    Ok(Chosen { frame, at_ms, note })
}

fn consider(best: &mut Option<(Verdict, Timed)>, found: Timed) -> Result<(), Unplayable> {
    // What a decoder made up for what it could not read stands for nothing.
    if found.frame.is_corrupt() || found.frame.has_decode_errors() {
        return Ok(());
    }
    let size = fit((found.frame.width(), found.frame.height()), JUDGED_SIDE);
    let grey = picture::grey(&found.frame, size).map_err(unreadable)?;
    let verdict = judge(grey.data(0), grey.stride(0), (size.0 as usize, size.1 as usize));
    if best.as_ref().is_none_or(|(known, _)| verdict.is_better_than(known)) {
        *best = Some((verdict, found));
    }
    Ok(())
}

/// How good a frame is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Verdict {
    is_black: bool,
    /// Sharpness times how well it is exposed.
    score: f64,
}

impl Verdict {
    fn is_better_than(&self, other: &Self) -> bool {
        (!self.is_black, self.score) > (!other.is_black, other.score)
    }
}

/// Judges a grey picture. Sharpness is the mean of the Laplacian's magnitude; exposure suffers from a mean far from the middle and from
/// samples at both ends.
fn judge(grey: &[u8], stride: usize, (width, height): (usize, usize)) -> Verdict {
    let at = |x: usize, y: usize| i32::from(grey[y * stride + x]);
    let mut histogram = [0_u64; 256];
    let mut edges = 0_u64;
    for y in 0..height {
        for x in 0..width {
            histogram[grey[y * stride + x] as usize] += 1;
            if (1..width - 1).contains(&x) && (1..height - 1).contains(&y) {
                let round = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
                edges += u64::from((4 * at(x, y) - round).unsigned_abs());
            }
        }
    }
    let pixels = (width * height) as f64;
    let mean = histogram.iter().enumerate().map(|(level, count)| level as f64 * *count as f64).sum::<f64>() / pixels;
    let share = |levels: &[u64]| levels.iter().sum::<u64>() as f64 / pixels;
    let exposure =
        (1.0 - (mean - 118.0).abs() / 160.0).max(0.05) * (1.0 - 0.5 * (share(&histogram[..8]) + share(&histogram[248..])));
    Verdict { is_black: share(&histogram[..usize::from(BLACK)]) > 0.95, score: (1.0 + edges as f64 / pixels) * exposure }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pixel: impl Fn(usize, usize) -> u8) -> Verdict {
        let pixels: Vec<u8> = (0..64 * 48).map(|at| pixel(at % 64, at / 64)).collect();
        judge(&pixels, 64, (64, 48))
    }

    #[test]
    fn the_better_frame_is_told() {
        let black = of(|_, _| 16);
        let titles = of(|x, y| if y == 20 && x < 40 { 235 } else { 16 });
        let flat = of(|_, _| 118);
        let sharp = of(|x, y| if (x / 2 + y / 2) % 2 == 0 { 80 } else { 160 });
        let burnt = of(|x, y| if (x / 2 + y / 2) % 2 == 0 { 180 } else { 255 });
        assert!(black.is_black && titles.is_black && !flat.is_black);
        let order = [sharp, burnt, flat, black];
        for pair in order.windows(2) {
            assert!(pair[0].is_better_than(&pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn a_picture_of_one_pixel_is_judged() {
        assert!(judge(&[0], 1, (1, 1)).is_black);
        assert!(!judge(&[200, 9, 9], 3, (1, 1)).is_black);
    }
}
