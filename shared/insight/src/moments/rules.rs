//! Rules that say where moments begin, behind one seam: the vault's own, and two from elsewhere that it is measured against.

use super::Shot;

/// Milliseconds.
const MINUTE: f64 = 60_000.0;

/// What finds moments in a timeline.
pub trait Segmenter {
    /// For each photo, in order of time, whether a moment begins at it. The first begins one.
    fn begins(&self, shots: &[Shot]) -> Vec<bool>;
}

/// Why two neighbours are not of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// Too long a time lies between them.
    Time,
    /// The time alone would not do, but the way between them is long.
    Way,
}

/// The vault's rule: a moment ends where `gap ≥ 5 min` and `gap · (1 + d/1.2 km)^1.5 ≥ 75 min`.
///
/// Without a way between them, or where a position is not known, 75 minutes part two photos; the further apart they were taken the fewer.
/// Less than five minutes never part: nobody is somewhere else so soon, but positions jump. The constants were fitted by a search on
/// generated lives (`docs/insight.md`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GapAndDistance {
    /// Minutes below which nothing parts them.
    pub never_min: f64,
    /// Minutes that part two photos of one place.
    pub still_min: f64,
    /// Kilometres that count as much as the time itself.
    pub way_km: f64,
    /// How steeply the way counts.
    pub exponent: f64,
}

impl Default for GapAndDistance {
    fn default() -> Self {
        Self { never_min: 5.0, still_min: 75.0, way_km: 1.2, exponent: 1.5 }
    }
}

impl GapAndDistance {
    /// Whether a moment ends between two neighbours, from the two alone.
    pub fn parts(&self, before: &Shot, after: &Shot) -> Option<Parting> {
        let gap_min = gap_ms(before, after) / MINUTE;
        let way_km = before.position.zip(after.position).map_or(0.0, |(from, to)| from.distance_km(to));
        if gap_min >= self.still_min {
            return Some(Parting::Time);
        }
        let weighed_min = gap_min * (1.0 + way_km / self.way_km).powf(self.exponent);
        (gap_min >= self.never_min && weighed_min >= self.still_min).then_some(Parting::Way)
    }
}

impl Segmenter for GapAndDistance {
    fn begins(&self, shots: &[Shot]) -> Vec<bool> {
        by_neighbours(shots, |before, after| self.parts(before, after).is_some())
    }
}

/// So many minutes and nothing else: what most libraries do, and what any other rule must beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedGap {
    /// Minutes that part two photos.
    pub min: f64,
}

impl Segmenter for FixedGap {
    fn begins(&self, shots: &[Shot]) -> Vec<bool> {
        by_neighbours(shots, |before, after| gap_ms(before, after) >= self.min * MINUTE)
    }
}

/// Platt, Czerwinski and Field, "`PhotoTOC`" (2003): a gap is a boundary where its logarithm exceeds the mean of the logarithms of the
/// gaps around it by `K = ln 17`, ten on either side. Gaps count as 1 to 30 minutes in that mean, so that bursts and nights do not decide it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClippedPhotoToc;

impl ClippedPhotoToc {
    const RATIO: f64 = 17.0;
    const AROUND: usize = 10;
    const SHORTEST_MS: f64 = MINUTE;
    const LONGEST_MS: f64 = 30.0 * MINUTE;
}

impl Segmenter for ClippedPhotoToc {
    fn begins(&self, shots: &[Shot]) -> Vec<bool> {
        let gaps: Vec<f64> = shots.windows(2).map(|pair| gap_ms(&pair[0], &pair[1])).collect();
        let logs: Vec<f64> = gaps.iter().map(|gap| gap.clamp(Self::SHORTEST_MS, Self::LONGEST_MS).ln()).collect();
        let parts = |at: usize| {
            let around = &logs[at.saturating_sub(Self::AROUND)..logs.len().min(at + Self::AROUND + 1)];
            let mean = around.iter().sum::<f64>() / around.len() as f64;
            gaps[at].max(1.0).ln() >= Self::RATIO.ln() + mean
        };
        (0..shots.len()).map(|at| at == 0 || parts(at - 1)).collect()
    }
}

fn by_neighbours(shots: &[Shot], parts: impl Fn(&Shot, &Shot) -> bool) -> Vec<bool> {
    (0..shots.len()).map(|at| at == 0 || parts(&shots[at - 1], &shots[at])).collect()
}

fn gap_ms(before: &Shot, after: &Shot) -> f64 {
    after.at.since(before.at) as f64
}

#[cfg(test)]
mod tests {
    use photovault_domain::{Point, UtcMs};

    use super::*;

    fn shot(minutes: f64, km: Option<f64>) -> Shot {
        let home = Point { latitude: 48.0, longitude: 7.8 };
        Shot { at: UtcMs((minutes * MINUTE) as i64), position: km.map(|km| home.moved_km(km, 0.0)) }
    }

    #[test]
    fn time_parts_and_the_way_makes_it_part_sooner() {
        let rule = GapAndDistance::default();
        for (after, want) in [
            (shot(74.9, None), None),
            (shot(75.0, None), Some(Parting::Time)),
            (shot(74.9, Some(0.0)), None),
            (shot(30.0, Some(0.5)), None),
            (shot(30.0, Some(1.2)), Some(Parting::Way)),
            (shot(4.9, Some(400.0)), None),
            (shot(5.0, Some(400.0)), Some(Parting::Way)),
        ] {
            assert_eq!(rule.parts(&shot(0.0, Some(0.0)), &after), want, "{after:?}");
        }
    }

    #[test]
    fn the_other_rules_find_what_is_obvious_to_them() {
        let mut shots: Vec<Shot> = (0..20).map(|at| shot(f64::from(at), None)).collect();
        shots.extend((0..20).map(|at| shot(f64::from(at) + 600.0, None)));
        let want: Vec<bool> = (0..40).map(|at| at % 20 == 0).collect();
        assert_eq!(ClippedPhotoToc.begins(&shots), want);
        assert_eq!(FixedGap { min: 30.0 }.begins(&shots), want);
        assert!(FixedGap { min: 30.0 }.begins(&[]).is_empty());
    }
}
