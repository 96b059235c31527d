//! Small pictures all along a video in one picture, for what is shown while somebody drags along its time line.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use photovault_domain::MovingPicture;

use crate::{Picture, Unplayable, frames::Frames, picture};

/// Tiles at most.
const MOST_TILES: u64 = 100;
/// Tiles of one row.
const COLUMNS: u32 = 10;
/// Milliseconds between tiles at least.
const STEP_MS: u64 = 1000;
/// Pixels of a tile's longest side.
const TILE_SIDE: u32 = 160;
/// Of a video with few key frames, all frames are decoded where they are no more than these,
const MOST_FRAMES: usize = 1200;
/// for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tiles in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sprite {
    /// All tiles, by rows.
    pub grid: Picture,
    /// Pixels of one tile.
    pub tile: (u32, u32),
    /// From when on each tile is shown, in milliseconds.
    pub times_ms: Vec<u64>,
    /// How long the video is, in milliseconds.
    pub duration_ms: u64,
}

impl Sprite {
    /// Which part of the grid belongs to which time: a WebVTT file with media fragments (W3C Media Fragments URI 1.0, 4.2.2).
    pub fn index(&self, grid_name: &str) -> String {
        let mut index = "WEBVTT\n".to_owned();
        let (width, height) = self.tile;
        let ends = self.times_ms.iter().skip(1).chain([&self.duration_ms]);
        for ((number, from), to) in (0..).zip(&self.times_ms).zip(ends) {
            let (x, y) = (number % COLUMNS * width, number / COLUMNS * height);
            let (from, to) = (clock(*from), clock(*to));
            write!(index, "\n{from} --> {to}\n{grid_name}#xywh={x},{y},{width},{height}\n").expect("a String takes all");
        }
        index
    }
}

/// `00:01:02.345`
fn clock(ms: u64) -> String {
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// Tiles of a video; `None` where its length is not known or too short for two.
pub(crate) fn make(frames: &mut Frames, of: &MovingPicture, duration_ms: u64) -> Result<Option<Sprite>, Unplayable> {
    let count = (duration_ms / STEP_MS).min(MOST_TILES);
    if count < 2 {
        return Ok(None);
    }
    let times_ms: Vec<u64> = (0..count).map(|number| duration_ms * number / count).collect();
    let tiles = match key_tiles(frames, of, &times_ms)? {
        Some(tiles) => tiles,
        None => all_tiles(frames, of, &times_ms)?,
    };
    let Some(tile) = tiles.first().map(|tile| (tile.width, tile.height)) else { return Ok(None) };
    if tiles.len() != times_ms.len() || tiles.iter().any(|it| (it.width, it.height) != tile) {
        return Ok(None);
    }
    Ok(Some(Sprite { grid: grid(&tiles, tile), tile, times_ms, duration_ms }))
}

/// By key frames alone, where they are close enough that most tiles differ.
fn key_tiles(frames: &mut Frames, of: &MovingPicture, times_ms: &[u64]) -> Result<Option<Vec<Picture>>, Unplayable> {
    let (mut tiles, mut last, mut different) = (Vec::new(), None, 0);
    for (number, at_ms) in times_ms.iter().enumerate() {
        let Some(found) = frames.key_at(*at_ms)? else { return Ok(None) };
        different += usize::from(last != Some(found.at_ms));
        last = Some(found.at_ms);
        tiles.push(picture::upright(&found.frame, of, TILE_SIDE)?);
        // Told early, so that little work is lost.
        if number >= 8 && different * 2 < number {
            return Ok(None);
        }
    }
    Ok((different * 2 > times_ms.len()).then_some(tiles))
}

/// By every frame. Fewer tiles than times where there are too many frames.
fn all_tiles(frames: &mut Frames, of: &MovingPicture, times_ms: &[u64]) -> Result<Vec<Picture>, Unplayable> {
    let patience = Instant::now() + PATIENCE;
    let mut tiles: Vec<Picture> = Vec::new();
    frames.go_to(0);
    for _ in 0..MOST_FRAMES {
        let Some(found) = frames.next()? else { break };
        while times_ms.get(tiles.len()).is_some_and(|at_ms| found.at_ms >= *at_ms) {
            tiles.push(picture::upright(&found.frame, of, TILE_SIDE)?);
        }
        if tiles.len() == times_ms.len() || Instant::now() >= patience {
            break;
        }
    }
    Ok(tiles)
}

fn grid(tiles: &[Picture], (width, height): (u32, u32)) -> Picture {
    let columns = COLUMNS.min(tiles.len() as u32);
    let rows = (tiles.len() as u32).div_ceil(columns);
    let mut grid = Picture {
        width: columns * width,
        height: rows * height,
        pixels: vec![0; (columns * width * rows * height) as usize * 3],
    };
    let (row_bytes, grid_bytes) = (width as usize * 3, grid.width as usize * 3);
    for (number, tile) in tiles.iter().enumerate() {
        let (column, row) = (number % columns as usize, number / columns as usize);
        for (line, pixels) in tile.pixels.chunks_exact(row_bytes).enumerate() {
            let at = (row * height as usize + line) * grid_bytes + column * row_bytes;
            grid.pixels[at..at + row_bytes].copy_from_slice(pixels);
        }
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_lie_where_the_index_says() {
        let tile = |shade: u8| Picture { width: 2, height: 1, pixels: vec![shade; 6] };
        let tiles: Vec<Picture> = (0..12).map(tile).collect();
        let grid = grid(&tiles, (2, 1));
        assert_eq!((grid.width, grid.height), (20, 2));
        assert_eq!((grid.pixels[0], grid.pixels[9 * 6], grid.pixels[60], grid.pixels[66], grid.pixels[72]), (0, 9, 10, 11, 0));
        let sprite = Sprite { grid, tile: (2, 1), times_ms: (0..12).map(|n| n * 1000).collect(), duration_ms: 3_723_004 };
        let index = sprite.index("sprite.jpg");
        assert!(index.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsprite.jpg#xywh=0,0,2,1\n"), "{index}");
        assert!(index.ends_with("\n00:00:11.000 --> 01:02:03.004\nsprite.jpg#xywh=2,1,2,1\n"), "{index}");
    }
}
