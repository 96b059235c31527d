//! Cells of the globe: H3 (<https://h3geo.org>), of which the larger ones are told from the smaller by their digits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The resolution in which photos are kept: cells of 0.1 km², 200 m across from corner to middle.
pub const CELL_RESOLUTION: u8 = 9;

/// An H3 cell of any resolution, written as 15 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cell(u64);

/// A text that is no cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no cell: 15 hexadecimal digits of H3")]
pub struct NoCell(String);

/// Where an index has its resolution, and where the digit of resolution 15 is; each digit has three bits, all set where there is none.
const RESOLUTION_AT: u32 = 52;
const DIGIT_BITS: u32 = 3;
const MAX_RESOLUTION: u8 = 15;
/// The highest byte of every cell: a reserved bit, the mode of cells, three bits that edges use.
const HIGHEST: u64 = 0b0000_1000;
const HIGHEST_AT: u32 = 56;

impl Cell {
    /// From H3's index.
    pub fn from_index(index: u64) -> Option<Self> {
        (index >> HIGHEST_AT == HIGHEST).then_some(Self(index))
    }

    /// 0..=15; each is a seventh of the one before.
    pub const fn resolution(self) -> u8 {
        (self.0 >> RESOLUTION_AT & 0xf) as u8
    }

    /// The cell around it of a lower resolution; itself of its own and higher ones.
    #[must_use]
    pub fn around(self, resolution: u8) -> Self {
        if resolution >= self.resolution() {
            return self;
        }
        let unused_bits = u32::from(MAX_RESOLUTION - resolution) * DIGIT_BITS;
        let resolution = u64::from(resolution) << RESOLUTION_AT;
        Self(self.0 & !(0xf << RESOLUTION_AT) | resolution | ((1 << unused_bits) - 1))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015x}", self.0)
    }
}

impl FromStr for Cell {
    type Err = NoCell;

    fn from_str(text: &str) -> Result<Self, NoCell> {
        let index = (text.len() == 15).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        index.and_then(Self::from_index).ok_or_else(|| NoCell(text.to_owned()))
    }
}

impl TryFrom<String> for Cell {
    type Error = NoCell;

    fn try_from(text: String) -> Result<Self, NoCell> {
        text.parse()
    }
}

impl From<Cell> for String {
    fn from(cell: Cell) -> Self {
        cell.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_knows_those_around_it() {
        // H3's own example: Sather Tower, Berkeley.
        let cell: Cell = "89283080ddbffff".parse().unwrap();
        assert_eq!(cell.resolution(), CELL_RESOLUTION);
        for (resolution, want) in
            [(9, "89283080ddbffff"), (7, "87283080dffffff"), (5, "85283083fffffff"), (12, "89283080ddbffff")]
        {
            assert_eq!(cell.around(resolution).to_string(), want, "{resolution}");
        }
        for bad in ["", "89283080ddbfff", "89283080ddbffffg", "z9283080ddbffff", "+9283080ddbffff", "f9283080ddbffff"] {
            assert_eq!(bad.parse::<Cell>(), Err(NoCell(bad.to_owned())));
        }
    }
}
