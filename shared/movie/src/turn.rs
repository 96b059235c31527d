//! How a picture is to be held: the display matrix, and pixels turned by it.

use ffmpeg_next::{Stream, codec::packet::side_data};

/// A quarter turn or several, clockwise, after a mirroring from left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// 0, 90, 180 or 270 degrees.
    pub(crate) degrees: u16,
    pub(crate) mirrored: bool,
}

impl Turn {
    /// What a stream asks for.
    pub(crate) fn of(stream: &Stream) -> Self {
        let matrix = stream.side_data().find(|data| data.kind() == side_data::Type::DisplayMatrix);
        matrix.and_then(|matrix| Self::of_matrix(matrix.data())).unwrap_or_default()
    }

    /// Reads a display matrix: nine numbers of 32 bits, of which the first two columns of the first two rows turn and mirror
    /// (ISO/IEC 14496-12, 6.2.2; FFmpeg's `libavutil/display.h`). A point (x, y), y downwards, goes to (ax + cy, bx + dy).
    fn of_matrix(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| bytes.get(at * 4..)?.first_chunk().map(|it| f64::from(i32::from_ne_bytes(*it)));
        let (a, b, c, d) = (number(0)?, number(1)?, number(3)?, number(4)?);
        let mirrored = a * d - b * c < 0.0;
        // A mirrored x-axis points the other way before it is turned.
        let sign = if mirrored { -1.0 } else { 1.0 };
        let degrees = (sign * b).atan2(sign * a).to_degrees().rem_euclid(360.0);
        let quarters = (degrees / 90.0).round() as u16 % 4;
        Some(Self { degrees: quarters * 90, mirrored })
    }

    /// The size that a picture of this size has afterwards.
    pub(crate) const fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.degrees % 180 == 90 { (height, width) } else { (width, height) }
    }

    /// Whether nothing is to be turned.
    pub(crate) const fn is_none(self) -> bool {
        self.degrees == 0 && !self.mirrored
    }

    /// Turns a picture of `N` bytes a pixel whose rows lie `stride` bytes apart.
    pub(crate) fn apply<const N: usize>(self, (width, height): (u32, u32), pixels: &[u8], stride: usize) -> Vec<u8> {
        let (wide, high) = (width as usize, height as usize);
        let (to_wide, to_high) = self.size((width, height));
        let mut turned = Vec::with_capacity(wide * high * N);
        if self.is_none() {
            pixels.chunks(stride).take(high).for_each(|row| turned.extend_from_slice(&row[..wide * N]));
            return turned;
        }
        for y in 0..to_high as usize {
            for x in 0..to_wide as usize {
                let (from_x, from_y) = match self.degrees {
                    90 => (y, high - 1 - x),
                    180 => (wide - 1 - x, high - 1 - y),
                    270 => (wide - 1 - y, x),
                    _ => (x, y),
                };
                let from_x = if self.mirrored { wide - 1 - from_x } else { from_x };
                let at = from_y * stride + from_x * N;
                turned.extend_from_slice(&pixels[at..at + N]);
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    fn of(a: i32, b: i32, c: i32, d: i32) -> (u16, bool) {
        let matrix = [a, b, 0, c, d, 0, 0, 0, 1 << 30];
        let bytes: Vec<u8> = matrix.iter().flat_map(|number| number.to_ne_bytes()).collect();
        let turn = Turn::of_matrix(&bytes).unwrap();
        (turn.degrees, turn.mirrored)
    }

    #[test]
    fn a_matrix_says_how_a_picture_is_held() {
        assert_eq!(of(ONE, 0, 0, ONE), (0, false));
        // As an iPhone writes it that is held upright: the picture's right side goes down.
        assert_eq!(of(0, ONE, -ONE, 0), (90, false));
        assert_eq!(of(-ONE, 0, 0, -ONE), (180, false));
        assert_eq!(of(0, -ONE, ONE, 0), (270, false));
        assert_eq!(of(-ONE, 0, 0, ONE), (0, true), "mirrored left to right");
        assert_eq!(of(ONE, 0, 0, -ONE), (180, true), "mirrored top to bottom");
        assert_eq!(of(0, ONE, ONE, 0), (270, true), "rows become columns");
    }

    #[test]
    fn pixels_follow_their_matrix() {
        // 1 2 3
        // 4 5 6
        let turned = |degrees, mirrored| Turn { degrees, mirrored }.apply::<1>((3, 2), &[1, 2, 3, 0, 4, 5, 6, 0], 4);
        assert_eq!(turned(0, false), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(90, false), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(180, false), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(270, false), [3, 6, 2, 5, 1, 4]);
        assert_eq!(turned(0, true), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(180, true), [4, 5, 6, 1, 2, 3]);
        assert_eq!(turned(270, true), [1, 4, 2, 5, 3, 6]);
    }
}
