//! Every picture's 256-bit hash in one packed blob, searched by looking at all of them: 32 bytes a picture, and a few
//! nanoseconds.

use photovault_domain::{Hex, PHash};

/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// How many hashes are looked at between two looks at the result: small enough for the processor's nearest cache.
const BLOCK: usize = 256;
/// How many queries go over the same part of the blob before the next part: 128 kB of hashes stay in the second cache.
const PART: usize = 16 * BLOCK;

/// Hashes in the order in which they came. Their first, second, third and fourth 64 bits each lie together, so that a
/// compiler can compare several at a time with whatever vectors the machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    words: [Vec<u64>; 4],
}

/// Two hashes by their places, and in how many of 256 bits they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// The later one.
    pub place: usize,
    /// The earlier one.
    pub earlier: usize,
    /// Bits.
    pub distance: u32,
}

impl Hashes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.words[0].len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words[0].is_empty()
    }

    /// Adds one behind the others.
    pub fn push(&mut self, hash: PHash) {
        for (words, word) in self.words.iter_mut().zip(words_of(hash)) {
            words.push(word);
        }
    }

    /// The hash at a place.
    pub fn hash(&self, place: usize) -> PHash {
        let mut bytes = [0; HASH_BYTES];
        for (bytes, words) in bytes.chunks_exact_mut(8).zip(&self.words) {
            bytes.copy_from_slice(&words[place].to_be_bytes());
        }
        Hex(bytes)
    }

    /// Every hash that differs from `query` in at most `within` bits, with the number of them, in order.
    pub fn near(&self, query: PHash, within: u32) -> Vec<(usize, u32)> {
        let mut found = Vec::new();
        self.scan(words_of(query), within, 0..self.len(), |place, distance| found.push((place, distance)));
        found
    }

    /// Every pair of hashes within `within` bits whose later one stands at `from` or behind it: what came since the first `from`
    /// of them were compared.
    pub fn pairs(&self, from: usize, within: u32) -> Vec<Near> {
        let mut found = Vec::new();
        for part in (0..self.len()).step_by(PART) {
            for place in from.max(part + 1)..self.len() {
                let query = self.words.each_ref().map(|words| words[place]);
                let until = place.min(part + PART);
                self.scan(query, within, part..until, |earlier, distance| found.push(Near { place, earlier, distance }));
            }
        }
        found.sort_unstable();
        found
    }

    fn scan(&self, query: [u64; 4], within: u32, places: std::ops::Range<usize>, mut tell: impl FnMut(usize, u32)) {
        let [first, second, third, fourth] = self.words.each_ref().map(|words| &words[places.clone()]);
        let blocks = first.chunks(BLOCK).zip(second.chunks(BLOCK)).zip(third.chunks(BLOCK)).zip(fourth.chunks(BLOCK));
        let mut distances = [0_u64; BLOCK];
        for (block, (((first, second), third), fourth)) in blocks.enumerate() {
            let words = first.iter().zip(second).zip(third).zip(fourth);
            let mut nearest = u64::MAX;
            for (distance, (((first, second), third), fourth)) in distances.iter_mut().zip(words) {
                let bits = |word: u64, of: u64| u64::from((word ^ of).count_ones());
                // Four times at most 64: nothing wraps, and no check for it keeps the loop from being made of vectors.
                *distance = bits(*first, query[0])
                    .wrapping_add(bits(*second, query[1]))
                    .wrapping_add(bits(*third, query[2]))
                    .wrapping_add(bits(*fourth, query[3]));
                nearest = nearest.min(*distance);
            }
            if nearest <= u64::from(within) {
                let compared = distances[..first.len()].iter().enumerate();
                for (at, distance) in compared.filter(|(_, distance)| **distance <= u64::from(within)) {
                    tell(places.start + block * BLOCK + at, *distance as u32);
                }
            }
        }
    }
}

impl FromIterator<PHash> for Hashes {
    fn from_iter<I: IntoIterator<Item = PHash>>(all: I) -> Self {
        let mut hashes = Self::default();
        all.into_iter().for_each(|hash| hashes.push(hash));
        hashes
    }
}

fn words_of(hash: PHash) -> [u64; 4] {
    std::array::from_fn(|word| u64::from_be_bytes(std::array::from_fn(|byte| hash.0[word * 8 + byte])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_scan_finds_what_comparing_each_with_each_finds(
            all in prop::collection::vec(prop::array::uniform32(0_u8..8), 0..700),
            from in 0_usize..700,
            within in 0_u32..80,
        ) {
            let all: Vec<PHash> = all.into_iter().map(Hex).collect();
            let hashes: Hashes = all.iter().copied().collect();
            prop_assert_eq!((0..hashes.len()).map(|place| hashes.hash(place)).collect::<Vec<_>>(), all.clone());
            let mut want = Vec::new();
            for place in from..all.len() {
                for earlier in 0..place {
                    let distance = all[place].distance(all[earlier]);
                    if distance <= within {
                        want.push(Near { place, earlier, distance });
                    }
                }
            }
            prop_assert_eq!(hashes.pairs(from, within), want);
            if let Some(query) = all.first() {
                let near: Vec<_> = all.iter().map(|hash| hash.distance(*query)).enumerate().filter(|(_, bits)| *bits <= within).collect();
                prop_assert_eq!(hashes.near(*query, within), near);
            }
        }
    }
}
