//! Selection by the truth of albums whose seeds nothing was fitted on.

use std::collections::BTreeSet;

use super::{measure::*, *};
use crate::{
    albums::{Album, album},
    random::Random,
};

/// What was looked at while weights were chosen has seeds below 1000.
const HELD_OUT: std::ops::Range<u64> = 1_000..1_120;

/// What makes of a photo one that nobody wants.
type Spoil = fn(&mut Candidate);

fn parts(album: &Album) -> usize {
    album.candidates.iter().map(|candidate| candidate.part).collect::<BTreeSet<_>>().len()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn of_a_burst_the_best_is_kept() {
    let (several, kept) = HELD_OUT.map(|seed| bursts_kept(&album(seed))).fold((0, 0), |all, of| (all.0 + of.0, all.1 + of.1));
    assert!(several > 1_000 && kept as f64 >= 0.95 * several as f64, "{kept} of {several}");
}

#[test]
fn every_part_is_shown_and_no_view_twice() {
    let scores: Vec<Score> = HELD_OUT
        .map(|seed| {
            let album = album(seed);
            score(&album, &Rule::Ours.choose(&album.candidates, parts(&album), seed))
        })
        .collect();
    assert!(scores.iter().all(|score| score.repeated == 0.0), "a view is shown twice");
    let shown = mean(scores.iter().map(|score| score.parts));
    assert!(shown >= 0.9, "{shown} of the parts");
}

#[test]
fn it_is_better_than_simpler_rules() {
    let worth = |rule: Rule| {
        mean(HELD_OUT.map(|seed| {
            let album = album(seed);
            score(&album, &rule.choose(&album.candidates, parts(&album), seed)).worth()
        }))
    };
    let ours = worth(Rule::Ours);
    for rule in &Rule::ALL[1..] {
        let theirs = worth(*rule);
        assert!(ours > theirs + 0.05, "{}: {theirs} against {ours}", rule.name());
    }
}

#[test]
fn it_comes_near_the_best_of_all_choices() {
    const OF: usize = 16;
    const COUNT: usize = 5;
    let mut shares = Vec::new();
    for seed in HELD_OUT.take(24) {
        let album = album(seed);
        let kept: Vec<usize> = (0..album.candidates.len()).filter(|place| is_shown(&album.candidates[*place])).collect();
        let best: Vec<usize> =
            near_duplicates(&album.candidates, &kept).iter().map(|group| best_of(&album.candidates, group)).collect();
        // Spread over the album: its parts and days differ.
        let step = (best.len() / OF).max(1);
        let few: Vec<Candidate> = best.iter().step_by(step).take(OF).map(|place| album.candidates[*place].clone()).collect();
        let chosen: Vec<usize> = select(&few, COUNT).iter().map(|choice| choice.candidate).collect();
        let subsets = (0_u32..1 << few.len()).filter(|set| set.count_ones() as usize == COUNT.min(few.len()));
        let members = |set: u32| (0..few.len()).filter(|place| set >> place & 1 == 1).collect::<Vec<_>>();
        let most = subsets.map(|set| utility(&few, &members(set))).fold(0.0, f64::max);
        shares.push(utility(&few, &chosen) / most);
    }
    let least = shares.iter().copied().fold(1.0, f64::min);
    assert!(least >= 0.95, "{least} of the optimum");
}

#[test]
fn one_photo_more_changes_little() {
    const COUNT: usize = 24;
    let same = mean(HELD_OUT.map(|seed| {
        let album = album(seed);
        let mut random = Random::new(seed, 0x1ac);
        let other = crate::albums::album(seed + 10_000);
        let stranger = Candidate { part: 999, day: 0, at: UtcMs(0), ..random.pick(&other.candidates).clone() };
        let with = [album.candidates.clone(), vec![stranger]].concat();
        jaccard(&Rule::Ours.choose(&album.candidates, COUNT, seed), &Rule::Ours.choose(&with, COUNT, seed))
    }));
    assert!(same >= 0.9, "{same}");
}

#[test]
fn what_nobody_wants_is_left_out_and_every_choice_says_why() {
    let album = album(1_500);
    let mut candidates = album.candidates;
    let choices = select(&candidates, 20);
    assert!(choices.is_sorted_by_key(|choice| candidates[choice.candidate].at));
    assert!(choices.iter().all(|choice| !choice.why.is_empty() && !choice.why[0].words().is_empty()));
    let first = choices[0].candidate;
    let spoil: [(&str, Spoil); 4] = [
        ("a screenshot", |it| it.is_screenshot = true),
        ("put away", |it| it.is_archived = true),
        ("blurred", |it| it.look.sharpness = 3),
        ("rejected", |it| it.rating = -1),
    ];
    for (what, spoil) in spoil {
        let before = candidates[first].clone();
        spoil(&mut candidates[first]);
        assert!(select(&candidates, 20).iter().all(|choice| choice.candidate != first), "{what}");
        candidates[first] = before;
    }
    candidates[first].rating = 5;
    let why = select(&candidates, 20).into_iter().find(|choice| choice.candidate == first).expect("five stars are chosen").why;
    assert!(why.contains(&Why::Stars(5)), "{why:?}");
    assert!(select(&candidates, 0).is_empty() && select(&[], 5).is_empty());
}
