//! Turns small frames upright (Exif 3.0, tag 0x0112).

/// Bytes of one RGB pixel.
const PIXEL: usize = 3;

/// The frame as it is to be seen: its size and pixels after `orientation` is applied.
pub(super) fn upright((width, height): (u32, u32), pixels: Vec<u8>, orientation: u8) -> ((u32, u32), Vec<u8>) {
    // Where the upright picture's pixel (0, 0) is stored, and how far its right and lower neighbours are from it.
    let (w, h) = (width as isize, height as isize);
    let (first, right, down) = match orientation {
        2 => (w - 1, -1, w),
        3 => (w * h - 1, -1, -w),
        4 => (w * (h - 1), 1, -w),
        5 => (0, w, 1),
        6 => (w * (h - 1), -w, 1),
        7 => (w * h - 1, -w, -1),
        8 => (w - 1, w, -1),
        _ => return ((width, height), pixels),
    };
    let size = if orientation > 4 { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(pixels.len());
    for row in 0..size.1 as isize {
        for column in 0..size.0 as isize {
            let at = (first + row * down + column * right) as usize * PIXEL;
            turned.extend_from_slice(&pixels[at..at + PIXEL]);
        }
    }
    (size, turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a viewer must show, for a picture whose stored rows are `abc` and `def`.
    #[test]
    fn all_eight_orientations() {
        let stored: Vec<u8> = b"abcdef".iter().flat_map(|letter| [*letter; PIXEL]).collect();
        for (orientation, want) in [
            (1, ["abc", "def"].as_slice()),
            (2, &["cba", "fed"]),
            (3, &["fed", "cba"]),
            (4, &["def", "abc"]),
            (5, &["ad", "be", "cf"]),
            (6, &["da", "eb", "fc"]),
            (7, &["fc", "eb", "da"]),
            (8, &["cf", "be", "ad"]),
        ] {
            let ((width, height), pixels) = upright((3, 2), stored.clone(), orientation);
            assert_eq!((width as usize, height as usize), (want[0].len(), want.len()));
            let letters: String = pixels.iter().step_by(PIXEL).map(|letter| char::from(*letter)).collect();
            assert_eq!(letters, want.concat(), "orientation {orientation}");
        }
    }
}
