//! Turns small frames upright (Exif 3.0, tag 0x0112).

use super::{
    Packed,
    planes::{Planar, Plane},
};

/// Rows that are written together where rows become columns: what is read for them lies side by side.
const ROWS: usize = 16;

/// Where the upright picture's pixel (0, 0) is stored, and how far its right and lower neighbours are from it.
#[derive(Clone, Copy)]
struct Walk {
    first: isize,
    right: isize,
    down: isize,
}

/// The walk through rows that are `stride` apart; none for what is upright.
fn walk((width, height): (u32, u32), stride: usize, orientation: u8) -> Option<Walk> {
    let (last_column, last_row, stride) = (width as isize - 1, (height as isize - 1) * stride as isize, stride as isize);
    let (first, right, down) = match orientation {
        2 => (last_column, -1, stride),
        3 => (last_row + last_column, -1, -stride),
        4 => (last_row, 1, -stride),
        5 => (0, stride, 1),
        6 => (last_row, -stride, 1),
        7 => (last_row + last_column, -stride, -1),
        8 => (last_column, stride, -1),
        _ => return None,
    };
    Some(Walk { first, right, down })
}

/// The size of a picture after `orientation` is applied.
pub(super) fn turned((width, height): (u32, u32), orientation: u8) -> (u32, u32) {
    if matches!(orientation, 5..=8) { (height, width) } else { (width, height) }
}

/// Packed RGB as it is to be seen.
pub(super) fn packed(picture: Packed, orientation: u8) -> Packed {
    let Some(walk) = walk(picture.size, picture.size.0 as usize, orientation) else { return picture };
    let size = turned(picture.size, orientation);
    let mut pixels = vec![0; picture.pixels.len()];
    let (from, _) = picture.pixels.as_chunks::<3>();
    let (to, _) = pixels.as_chunks_mut::<3>();
    turn(from, walk, to, size.0 as usize, size.0 as usize);
    Packed { size, pixels, ..picture }
}

/// Planes as they are to be seen.
pub(super) fn planar(picture: Planar, orientation: u8) -> Planar {
    let (width, height) = picture.extent;
    let (across, down) = picture.ratio;
    let is_turned = orientation > 4;
    Planar {
        brightness: plane(picture.brightness, orientation),
        colour: picture.colour.map(|planes| planes.map(|colour| plane(colour, orientation))),
        ratio: if is_turned { (down, across) } else { (across, down) },
        extent: if is_turned { (height, width) } else { (width, height) },
    }
}

fn plane(plane: Plane, orientation: u8) -> Plane {
    let Some(walk) = walk((plane.width, plane.height), plane.stride, orientation) else { return plane };
    let (width, height) = turned((plane.width, plane.height), orientation);
    let mut upright = Plane::blank(width, height);
    let rows = height as usize * upright.stride;
    turn(&plane.samples, walk, &mut upright.samples[..rows], upright.stride, width as usize);
    upright.pad()
}

fn turn<T: Copy>(from: &[T], walk: Walk, to: &mut [T], stride: usize, width: usize) {
    for (band, rows) in to.chunks_mut(ROWS * stride).enumerate() {
        let first = walk.first + (band * ROWS) as isize * walk.down;
        for column in 0..width {
            let mut at = first + column as isize * walk.right;
            for pixel in rows[column..].iter_mut().step_by(stride) {
                *pixel = from[at as usize];
                at += walk.down;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::derive::Layout;

    /// What a viewer must show, for a picture whose stored rows are `abc` and `def`.
    #[test]
    fn all_eight_orientations() {
        let stored: Vec<u8> = b"abcdef".iter().flat_map(|letter| [*letter; 3]).collect();
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
            let picture = packed(Packed { size: (3, 2), layout: Layout::Rgb, pixels: stored.clone() }, orientation);
            assert_eq!((picture.size.0 as usize, picture.size.1 as usize), (want[0].len(), want.len()));
            let letters: String = picture.pixels.iter().step_by(3).map(|letter| char::from(*letter)).collect();
            assert_eq!(letters, want.concat(), "orientation {orientation}");

            let mut wide = Plane::blank(3, 2);
            wide.samples.copy_from_slice(b"abc.def.");
            let upright = plane(wide, orientation);
            let rows: Vec<&[u8]> = upright.samples.chunks(upright.stride).map(|row| &row[..upright.width as usize]).collect();
            let want: Vec<&[u8]> = want.iter().map(|row| row.as_bytes()).collect();
            assert_eq!(rows[..upright.height as usize], want, "orientation {orientation}");
        }
    }

    #[test]
    fn many_rows_are_turned_in_bands() {
        let size = (37_u32, 41_u32);
        let mut stored = Plane::blank(size.0, size.1);
        let stride = stored.stride;
        stored.samples.iter_mut().enumerate().for_each(|(at, sample)| *sample = (at % stride * 5 + at / stride * 7) as u8);
        let upright = plane(stored, 6);
        for (row, column) in [(0, 0), (15, 40), (16, 0), (36, 40), (20, 20)] {
            let want = (row * 5 + (40 - column) * 7) as u8;
            assert_eq!(upright.samples[row * upright.stride + column], want, "row {row}, column {column}");
        }
    }
}
