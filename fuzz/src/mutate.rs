//! Hurts inputs. The same seed hurts in the same way.

use photovault_sim::Random;

/// What chooses where to hurt.
#[derive(Clone, Debug)]
pub struct Dice(Random);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Self {
        Self(Random::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D))
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0.bits()
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.roll() % end as u64) as usize }
    }
}

/// Values at which lengths, counts and signs turn over.
const EDGES: [u32; 12] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF];
/// How many wounds one input gets at most.
const MOST_WOUNDS: usize = 8;

/// A hurt copy of `bytes`; parts of `other` may come into it.
pub fn mutated(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut hurt = bytes.to_vec();
    for _ in 0..=dice.below(MOST_WOUNDS) {
        wound(&mut hurt, other, dice);
    }
    hurt
}

fn wound(hurt: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    // Half of the wounds go where headers are.
    let reach = if dice.below(2) == 0 { hurt.len().min(512) } else { hurt.len() };
    let at = dice.below(reach);
    match dice.below(9) {
        0 => {
            if let Some(byte) = hurt.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => {
            if let Some(byte) = hurt.get_mut(at) {
                *byte = dice.roll() as u8;
            }
        }
        2 => overwrite(hurt, at, &EDGES[dice.below(EDGES.len())].to_be_bytes()),
        3 => overwrite(hurt, at, &EDGES[dice.below(EDGES.len())].to_le_bytes()),
        4 => overwrite(hurt, at, &(EDGES[dice.below(EDGES.len())] as u16).to_be_bytes()),
        5 => hurt.truncate(at),
        6 => {
            let end = at + dice.below((hurt.len() - at).min(256));
            hurt.drain(at..end);
        }
        7 => {
            let end = at + dice.below((hurt.len() - at).min(256));
            let twice = hurt[at..end].to_vec();
            hurt.splice(at..at, twice);
        }
        _ => {
            let from = dice.below(other.len());
            let end = from + dice.below((other.len() - from).min(4096));
            overwrite(hurt, at, &other[from..end]);
        }
    }
}

fn overwrite(hurt: &mut [u8], at: usize, with: &[u8]) {
    let room = hurt.len().saturating_sub(at).min(with.len());
    hurt[at..at + room].copy_from_slice(&with[..room]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_hurts_in_the_same_way_and_another_does_not() {
        let bytes: Vec<u8> = (0..=255).collect();
        let hurt = |seed: u64| mutated(&bytes, b"other bytes", &mut Dice::new(seed));
        assert_eq!(hurt(1), hurt(1));
        let kinds: std::collections::BTreeSet<_> = (0..200).map(hurt).collect();
        assert!(kinds.len() > 190, "only {} different ones", kinds.len());
        assert_eq!(mutated(&[], &[], &mut Dice::new(3)), [0; 0]);
    }
}
