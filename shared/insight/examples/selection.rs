//! How good selections are, for `docs/insight.md`: our rule and simpler ones, by the truth of generated albums.
//!
//! usage: selection [ALBUMS] — prints a table over that many held-out albums.

use std::collections::BTreeSet;

use photovault_insight::{
    albums::{Album, album},
    select::measure::{Rule, Score, bursts_kept, jaccard, score},
};

fn main() {
    let count = std::env::args().nth(1).map_or(120, |argument| argument.parse::<u64>().expect("a number"));
    let albums: Vec<(u64, Album)> = (1_000..1_000 + count).map(|seed| (seed, album(seed))).collect();
    let photos: usize = albums.iter().map(|(_, album)| album.candidates.len()).sum();
    println!("{count} albums of {} photos in the mean; as many are chosen as an album has parts\n", photos / albums.len());
    println!("| rule | worth | quality | parts | people | repeated | bad |\n|---|---|---|---|---|---|---|");
    for rule in Rule::ALL {
        let scores: Vec<Score> = albums
            .iter()
            .map(|(seed, album)| {
                let parts = album.candidates.iter().map(|candidate| candidate.part).collect::<BTreeSet<_>>().len();
                score(album, &rule.choose(&album.candidates, parts, *seed))
            })
            .collect();
        let mean = |of: fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / scores.len() as f64;
        print!("| {} ", rule.name());
        for of in [Score::worth, |it| it.quality, |it| it.parts, |it| it.people, |it| it.repeated, |it| it.bad]
            as [fn(&Score) -> f64; 6]
        {
            print!("| {:.3} ", mean(of));
        }
        println!("|");
    }
    let (several, kept) = albums.iter().map(|(_, album)| bursts_kept(album)).fold((0, 0), |all, of| (all.0 + of.0, all.1 + of.1));
    println!("\nbest of a burst kept: {kept} of {several} ({:.3})", kept as f64 / several as f64);
    let same = albums.iter().map(|(seed, one)| {
        let mut with = one.candidates.clone();
        with.push(photovault_insight::select::Candidate { part: 999, day: 0, ..album(seed + 10_000).candidates[0].clone() });
        jaccard(&Rule::Ours.choose(&one.candidates, 24, *seed), &Rule::Ours.choose(&with, 24, *seed))
    });
    println!("the same after one photo more (24 chosen, Jaccard): {:.3}", same.sum::<f64>() / albums.len() as f64);
}
