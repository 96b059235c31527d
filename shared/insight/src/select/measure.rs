//! How good a selection is, by what is true of the photos, and what simpler rules would have chosen.

use std::collections::BTreeSet;

use super::{Candidate, best_of, near_duplicates, quality, select};
use crate::{albums::Album, random::Random};

/// What nobody sees of a difference in quality.
const UNSEEN: f64 = 0.02;

/// A rule that chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Ours.
    Ours,
    /// Any.
    Random,
    /// One in so many, in the order of time.
    UniformTime,
    /// Maximal marginal relevance (Carbonell and Goldstein 1998): quality against likeness to what was chosen.
    Mmr,
    /// A thousand for every face, and quality.
    Faces,
}

impl Rule {
    /// Ours first.
    pub const ALL: [Self; 5] = [Self::Ours, Self::Random, Self::UniformTime, Self::Mmr, Self::Faces];

    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "quality and coverage",
            Self::Random => "random",
            Self::UniformTime => "uniform in time",
            Self::Mmr => "MMR",
            Self::Faces => "1,000 · faces",
        }
    }

    /// What it chooses of the candidates.
    pub fn choose(self, candidates: &[Candidate], count: usize, seed: u64) -> Vec<usize> {
        let all: Vec<usize> = (0..candidates.len()).collect();
        let count = count.min(all.len());
        match self {
            Self::Ours => select(candidates, count).iter().map(|choice| choice.candidate).collect(),
            Self::Random => {
                let mut random = Random::new(seed, 0x5e1);
                let mut left = all;
                (0..count).map(|_| left.swap_remove(random.whole(0, left.len() as i64 - 1) as usize)).collect()
            }
            Self::UniformTime => (0..count).map(|step| (2 * step + 1) * all.len() / (2 * count)).collect(),
            Self::Mmr => mmr(candidates, count),
            Self::Faces => {
                let score =
                    |place: &usize| 1000.0 * f64::from(candidates[*place].faces.unwrap_or(0)) + quality(&candidates[*place]);
                let mut ranked = all;
                ranked.sort_by(|one, other| score(other).total_cmp(&score(one)));
                ranked.truncate(count);
                ranked
            }
        }
    }
}

/// What was chosen of an album, by the truth. All 0..=1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// Mean of the true qualities.
    pub quality: f64,
    /// Parts that are shown, of those that could be.
    pub parts: f64,
    /// People who are shown, of those that could be.
    pub people: f64,
    /// Choices that show a view again that another shows.
    pub repeated: f64,
    /// Choices that nobody wants to see.
    pub bad: f64,
}

impl Score {
    /// One number: what is shown, less what should not be.
    pub fn worth(&self) -> f64 {
        (self.quality + self.parts + self.people) / 3.0 * (1.0 - self.repeated - self.bad).max(0.0)
    }
}

/// Scores what was chosen of an album.
pub fn score(album: &Album, chosen: &[usize]) -> Score {
    let count = chosen.len().max(1) as f64;
    let good = |place: &usize| !album.truth[*place].is_bad;
    let of = |places: &mut dyn Iterator<Item = usize>| {
        let (mut parts, mut people) = (BTreeSet::new(), BTreeSet::new());
        for place in places.filter(good) {
            parts.insert(album.candidates[place].part);
            people.extend(album.candidates[place].people.iter().copied());
        }
        (parts.len(), people.len())
    };
    let (all_parts, all_people) = of(&mut (0..album.truth.len()));
    let (parts, people) = of(&mut chosen.iter().copied());
    let views: BTreeSet<usize> = chosen.iter().map(|place| album.truth[*place].view).collect();
    Score {
        quality: chosen.iter().map(|place| album.truth[*place].quality).sum::<f64>() / count,
        parts: parts as f64 / all_parts.min(chosen.len()).max(1) as f64,
        people: people as f64 / all_people.max(1) as f64,
        repeated: (chosen.len() - views.len()) as f64 / count,
        bad: chosen.iter().filter(|place| !good(place)).count() as f64 / count,
    }
}

/// Of the views that were taken several times: how many there are, and of how many the best was kept.
pub fn bursts_kept(album: &Album) -> (usize, usize) {
    let all: Vec<usize> = (0..album.candidates.len()).filter(|place| !album.candidates[*place].is_screenshot).collect();
    let groups = near_duplicates(&album.candidates, &all);
    let several: Vec<_> = groups.iter().filter(|group| group.len() > 1).collect();
    let quality = |place: &usize| album.truth[*place].quality;
    let is_best = |group: &&&Vec<usize>| {
        let most = group.iter().map(quality).fold(0.0, f64::max);
        quality(&best_of(&album.candidates, group)) >= most - UNSEEN
    };
    (several.len(), several.iter().filter(is_best).count())
}

/// Of two sets, what they share of what either has.
pub fn jaccard(one: &[usize], other: &[usize]) -> f64 {
    let (one, other): (BTreeSet<_>, BTreeSet<_>) = (one.iter().collect(), other.iter().collect());
    one.intersection(&other).count() as f64 / one.union(&other).count().max(1) as f64
}

fn mmr(candidates: &[Candidate], count: usize) -> Vec<usize> {
    const RELEVANCE: f64 = 0.7;
    let mut chosen: Vec<usize> = Vec::new();
    let mut likest = vec![0.0_f64; candidates.len()];
    while chosen.len() < count {
        let score = |place: &usize| RELEVANCE * quality(&candidates[*place]) - (1.0 - RELEVANCE) * likest[*place];
        let left = (0..candidates.len()).filter(|place| !chosen.contains(place));
        let Some(best) = left.max_by(|one, other| score(one).total_cmp(&score(other))) else { break };
        for (place, likest) in likest.iter_mut().enumerate() {
            let apart = candidates[place].look.phash.distance(candidates[best].look.phash);
            *likest = likest.max(1.0 - f64::from(apart.min(128)) / 128.0);
        }
        chosen.push(best);
    }
    chosen
}
