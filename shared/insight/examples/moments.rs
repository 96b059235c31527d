//! Prints the table of `docs/insight.md`: rules about moments, on lives that none of them was fitted on.

use photovault_insight::{
    lives::{Kind, Taken, life},
    moments::{ClippedPhotoToc, GapAndDistance, Segmenter, best_fixed_gap, measure},
};

fn main() {
    println!("| life | photos | moments | rule | F1 | F1 of the tenth percentile | WindowDiff |\n|---|---|---|---|---|---|---|");
    for kind in Kind::ALL {
        let lives = |seeds: std::ops::Range<u64>| -> Vec<Vec<Taken>> { seeds.map(|seed| life(kind, seed, 120)).collect() };
        let (seen, unseen) = (lives(0..30), lives(1000..1060));
        let fixed = best_fixed_gap(&seen);
        let rules: [(String, &dyn Segmenter); 3] = [
            ("gap and distance".into(), &GapAndDistance::default()),
            (format!("best fixed gap, {} min", fixed.min), &fixed),
            ("PhotoTOC, clipped".into(), &ClippedPhotoToc),
        ];
        let photos: usize = unseen.iter().map(Vec::len).sum();
        let moments: usize = unseen
            .iter()
            .map(|life| life.iter().map(|taken| taken.moment).collect::<std::collections::BTreeSet<_>>().len())
            .sum();
        for (name, rule) in rules {
            let score = measure(rule, &unseen);
            let (f1, tenth, diff) = (score.f1, score.tenth_f1, score.window_diff);
            println!("| {} | {photos} | {moments} | {name} | {f1:.3} | {tenth:.3} | {diff:.3} |", kind.name());
        }
    }
}
