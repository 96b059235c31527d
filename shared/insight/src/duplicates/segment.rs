//! A piece of a library's packed blob as it lies in the bucket: hashes that came, and which of them are near each other or near
//! earlier ones. A piece is written once: what changes stands in a later one, and the catalog decides what is still true.

use photovault_domain::{Hex, PHash};

use super::{Hashes, NEAR_WITHIN, Near};

/// Begins a segment.
const MAGIC: &[u8; 8] = b"PVLOOKS1";
const ID_BYTES: usize = 16;
/// Id and hash.
const ENTRY_BYTES: usize = ID_BYTES + 32;
/// Two ids and a distance.
const PAIR_BYTES: usize = 2 * ID_BYTES + 1;
/// Neighbours that one picture gets at most, the nearest: all-black pictures are all alike, and each pair of them tells nothing more.
const MAX_NEIGHBOURS: usize = 32;

/// A media id's 16 bytes.
pub type IdBytes = [u8; ID_BYTES];

/// A picture's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which picture.
    pub id: IdBytes,
    /// Its hash.
    pub hash: PHash,
}

/// Two pictures that are near each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The one.
    pub ids: (IdBytes, IdBytes),
    /// Bits in which their hashes differ.
    pub distance: u8,
}

/// Hashes that came together, and the pairs that came with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// In the order in which they came.
    pub seen: Vec<Seen>,
    /// Within [`NEAR_WITHIN`] bits.
    pub pairs: Vec<Pair>,
}

/// All that was seen before, and what of it was compared.
#[derive(Clone, Debug, Default)]
pub struct Library {
    ids: Vec<IdBytes>,
    hashes: Hashes,
    pairs: Vec<Pair>,
}

impl Library {
    /// Adds a segment that is complete.
    pub fn add(&mut self, segment: Segment) {
        self.pairs.extend(segment.pairs);
        self.extend(&segment.seen);
    }

    /// Adds pictures that were never compared: compares each with all before it. What it costs depends on how many there are in all
    /// only by the nanoseconds of the scan. Gives the segment to keep.
    pub fn compare(&mut self, seen: Vec<Seen>) -> Segment {
        let from = self.hashes.len();
        self.extend(&seen);
        let mut found = self.hashes.pairs(from, NEAR_WITHIN);
        found.sort_by_key(|near| (near.place, near.distance, near.earlier));
        let mut pairs = Vec::new();
        for near in found.chunk_by(|one, other| one.place == other.place) {
            pairs.extend(near.iter().filter_map(|near| self.pair(near)).take(MAX_NEIGHBOURS));
        }
        self.pairs.extend(&pairs);
        Segment { seen, pairs }
    }

    /// Every pair so far, each once.
    pub fn pairs(&self) -> Vec<Pair> {
        let mut pairs = self.pairs.clone();
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| pair.ids);
        pairs
    }

    fn extend(&mut self, seen: &[Seen]) {
        for seen in seen {
            self.ids.push(seen.id);
            self.hashes.push(seen.hash);
        }
    }

    /// `None` of an item that was seen twice, with itself.
    fn pair(&self, near: &Near) -> Option<Pair> {
        let (one, other) = (self.ids[near.place], self.ids[near.earlier]);
        (one != other).then(|| Pair { ids: (one.min(other), one.max(other)), distance: near.distance as u8 })
    }
}

impl Segment {
    /// As it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + self.seen.len() * ENTRY_BYTES + self.pairs.len() * PAIR_BYTES);
        bytes.extend(MAGIC);
        bytes.extend((self.seen.len() as u64).to_be_bytes());
        for seen in &self.seen {
            bytes.extend(seen.id);
            bytes.extend(seen.hash.0);
        }
        for Pair { ids: (one, other), distance } in &self.pairs {
            bytes.extend(one);
            bytes.extend(other);
            bytes.push(*distance);
        }
        bytes
    }

    /// `None` of anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (count, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
        let entries = usize::try_from(u64::from_be_bytes(*count)).ok()?.checked_mul(ENTRY_BYTES)?;
        let (entries, pairs) = rest.split_at_checked(entries)?;
        if !pairs.len().is_multiple_of(PAIR_BYTES) {
            return None;
        }
        let id = |bytes: &[u8]| -> Option<IdBytes> { bytes.get(..ID_BYTES)?.try_into().ok() };
        let seen = |bytes: &[u8]| Some(Seen { id: id(bytes)?, hash: Hex(bytes[ID_BYTES..].try_into().ok()?) });
        let pair = |bytes: &[u8]| Some(Pair { ids: (id(bytes)?, id(&bytes[ID_BYTES..])?), distance: *bytes.last()? });
        Some(Self {
            seen: entries.chunks_exact(ENTRY_BYTES).map(seen).collect::<Option<_>>()?,
            pairs: pairs.chunks_exact(PAIR_BYTES).map(pair).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pictures of which many are near each other, and some come twice.
    fn seen() -> impl Strategy<Value = Vec<Seen>> {
        let one = (0_u8..60, 0_u8..6, 0_u8..200);
        prop::collection::vec(one, 0..120).prop_map(|all| {
            all.into_iter()
                .map(|(id, kind, noise)| {
                    let mut hash = [kind.wrapping_mul(91); 32];
                    hash[usize::from(noise) % 32] ^= noise;
                    Seen { id: [id; 16], hash: Hex(hash) }
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_the_parts_in_which_they_come_the_pairs_are_the_same(all in seen(), cuts in prop::collection::vec(0_usize..120, 0..4)) {
            let mut whole = Library::default();
            let segment = whole.compare(all.clone());
            prop_assert_eq!(Segment::from_bytes(&segment.to_bytes()), Some(segment));
            let (mut parts, mut kept, mut rest) = (Library::default(), Library::default(), all.as_slice());
            for cut in cuts {
                let (part, other) = rest.split_at(cut.min(rest.len()));
                kept.add(parts.compare(part.to_vec()));
                rest = other;
            }
            kept.add(parts.compare(rest.to_vec()));
            prop_assert_eq!(parts.pairs(), whole.pairs());
            prop_assert_eq!(kept.pairs(), whole.pairs());
        }

        #[test]
        fn hurt_segments_are_none(mut bytes in prop::collection::vec(any::<u8>(), 0..200), is_ours in any::<bool>()) {
            if is_ours && bytes.len() > 8 {
                bytes[..8].copy_from_slice(MAGIC);
            }
            if let Some(segment) = Segment::from_bytes(&bytes) {
                prop_assert_eq!(segment.to_bytes(), bytes);
            }
        }
    }
}
