//! Pictures that are nearly the same become one: the best of them.

use super::{Candidate, exposure};
use crate::duplicates::{COPY_WITHIN, Hashes, NEAR_WITHIN};

/// Milliseconds within which two pictures that look much alike show the same thing: who presses again, presses soon.
const SOON_MS: u64 = 60_000;
/// Milliseconds between two frames of a burst, however much their subject moved.
const FRAME_MS: u64 = 400;
/// The least quality of a hash that means something.
const MIN_QUALITY: u8 = 50;

/// Groups of `kept` in which each picture is near another: the reader would take them for one. Together they are all of `kept`.
pub fn near_duplicates(candidates: &[Candidate], kept: &[usize]) -> Vec<Vec<usize>> {
    let hashes: Hashes = kept.iter().map(|place| candidates[*place].look.phash).collect();
    let mut leaders: Vec<usize> = (0..kept.len()).collect();
    let mut join = |one: usize, other: usize| {
        let (one, other) = (leader(&mut leaders, one), leader(&mut leaders, other));
        leaders[one.max(other)] = one.min(other);
    };
    for near in hashes.pairs(0, NEAR_WITHIN) {
        let (one, other) = (&candidates[kept[near.place]], &candidates[kept[near.earlier]]);
        let is_sound = one.look.phash_quality.min(other.look.phash_quality) >= MIN_QUALITY;
        let are_soon = one.at.0.abs_diff(other.at.0) <= SOON_MS;
        if are_soon || (is_sound && near.distance <= COPY_WITHIN) {
            join(near.place, near.earlier);
        }
    }
    let mut by_time: Vec<usize> = (0..kept.len()).collect();
    by_time.sort_by_key(|place| (candidates[kept[*place]].burst, candidates[kept[*place]].at));
    for pair in by_time.windows(2) {
        let (one, other) = (&candidates[kept[pair[0]]], &candidates[kept[pair[1]]]);
        if one.burst.is_some() && one.burst == other.burst {
            join(pair[0], pair[1]);
        }
    }
    by_time.sort_by_key(|place| candidates[kept[*place]].at);
    for pair in by_time.windows(2) {
        if candidates[kept[pair[0]]].at.0.abs_diff(candidates[kept[pair[1]]].at.0) <= FRAME_MS {
            join(pair[0], pair[1]);
        }
    }
    let mut groups = vec![Vec::new(); kept.len()];
    for (place, candidate) in kept.iter().enumerate() {
        groups[leader(&mut leaders, place)].push(*candidate);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The best of a group: what its owner gave the most stars, and else the sharpest where the sharpest are, against the others, and the
/// best exposed.
pub fn best_of(candidates: &[Candidate], group: &[usize]) -> usize {
    let sharpest = group.iter().map(|place| candidates[*place].look.sharpness).max().unwrap_or(0).max(1);
    let most = group.iter().map(|place| candidates[*place].pixels).max().unwrap_or(0).max(1);
    let score = |place: &usize| {
        let candidate = &candidates[*place];
        let sharp = f64::from(candidate.look.sharpness) / f64::from(sharpest);
        let size = candidate.pixels as f64 / most as f64;
        let faces = f64::from(candidate.faces.unwrap_or(0).min(4)) / 4.0;
        let stars = f64::from(candidate.rating.max(0));
        stars
            + 0.6 * sharp
            + 0.4 * exposure(&candidate.look)
            + 0.2 * size
            + 0.1 * faces
            + f64::from(candidate.look.contrast) / 1270.0
    };
    // The first of equals.
    let best = group.iter().rev().max_by(|one, other| score(one).total_cmp(&score(other)));
    *best.expect("a group has somebody")
}

/// Who stands for a picture's group (union-find with halved paths).
fn leader(leaders: &mut [usize], mut place: usize) -> usize {
    while leaders[place] != place {
        leaders[place] = leaders[leaders[place]];
        place = leaders[place];
    }
    place
}
