//! The figures on libraries that nothing was fitted on, and that what cannot be is never done.

use std::collections::BTreeSet;

use super::{Edit, Face, FaceId, Impossible, People, faces::library, measure::BCubed};
use crate::random::Random;

/// Seeds that nothing was fitted on.
const HELD_OUT: std::ops::Range<u64> = 100..106;

fn clustered(seed: u64) -> (People, Vec<(Face, usize)>) {
    let faces = library(seed, 700);
    let mut people = People::new();
    for (face, _) in &faces {
        people.add(face.clone());
    }
    people.settle();
    (people, faces)
}

fn score(people: &People, faces: &[(Face, usize)]) -> BCubed {
    BCubed::of(&faces.iter().map(|(face, truth)| (people.person_of(face.id), *truth)).collect::<Vec<_>>())
}

#[test]
fn people_are_told_apart() {
    for seed in HELD_OUT {
        let (people, faces) = clustered(seed);
        let score = score(&people, &faces);
        println!("seed {seed}: {} faces, {} persons, F {:.3} {score:?}", faces.len(), people.persons().count(), score.f());
        assert!(score.f() >= 0.95 && score.precision >= 0.98, "seed {seed}: {score:?}, F {:.3}", score.f());
    }
}

/// Nobody is twice on a photo, seen before they were born, or together with whom they are not.
fn check(people: &People) {
    for (_, faces) in people.persons() {
        let photos: BTreeSet<u64> = faces.iter().map(|face| face.photo).collect();
        assert_eq!(photos.len(), faces.len(), "two faces of one photo are one person");
        let ids: BTreeSet<u64> = faces.iter().map(|face| face.id).collect();
        let first = faces.iter().map(|face| face.day).min();
        for edit in people.said() {
            match edit {
                Edit::Born { face, day } if ids.contains(face) => assert!(first >= Some(*day), "seen before birth"),
                Edit::Apart { faces, from } => {
                    assert!(!(ids.contains(from) && faces.iter().any(|face| ids.contains(face))), "{edit:?}");
                }
                _ => {}
            }
        }
    }
    for edit in people.said() {
        if let Edit::Same(one, other) = edit {
            assert!(people.person_of(*one).is_some() && people.person_of(*one) == people.person_of(*other), "{edit:?}");
        }
    }
}

#[test]
fn what_cannot_be_is_never_done_whatever_is_said_and_taken_back() {
    for seed in 0..40 {
        let mut random = Random::new(seed, 7);
        let faces = library(seed, 60);
        let mut people = People::new();
        for (face, _) in &faces {
            people.add(face.clone());
            let any = |random: &mut Random| random.whole(0, face.id as i64).unsigned_abs();
            let edit = match random.whole(0, 9) {
                0 => Edit::Same(any(&mut random), any(&mut random)),
                1 => Edit::Apart { faces: vec![any(&mut random), any(&mut random)], from: any(&mut random) },
                2 => Edit::Born { face: any(&mut random), day: random.whole(0, 3000) as i32 },
                3 => Edit::Name { face: any(&mut random), name: "Ann".into() },
                4 => {
                    people.undo();
                    check(&people);
                    continue;
                }
                _ => continue,
            };
            let before = people.said().len();
            let said = people.say(&edit);
            assert_eq!(people.said().len(), before + usize::from(said.is_ok()));
            check(&people);
        }
        people.settle();
        check(&people);
    }
}

#[test]
fn a_name_spreads_and_outlives_a_merge_a_split_and_their_undoing() {
    let (mut people, faces) = clustered(200);
    let of = |person: usize| faces.iter().filter(|(_, truth)| *truth == person).map(|(face, _)| face.id).collect::<Vec<_>>();
    let (ann, ben) = (of(0), of(1));
    people.say(&Edit::Name { face: ann[0], name: "Ann".into() }).unwrap();
    let anns = |people: &People| {
        ann.iter().filter(|face| people.person_of(**face).and_then(|it| people.name_of(it)) == Some("Ann")).count()
    };
    let named = anns(&people);
    assert!(named * 10 > ann.len() * 9, "{named} of {}", ann.len());
    // A friend who is never on a photo with her is said to be her, and it is taken back.
    let photos: BTreeSet<u64> = faces.iter().filter(|(_, truth)| *truth == 0).map(|(face, _)| face.photo).collect();
    let apart = faces.iter().find(|(face, truth)| *truth > 17 && !photos.contains(&face.photo)).unwrap().0.id;
    people.say(&Edit::Same(ann[0], apart)).unwrap();
    assert_eq!(people.person_of(apart), people.person_of(ann[0]));
    people.undo();
    assert_ne!(people.person_of(apart), people.person_of(ann[0]));
    assert!(anns(&people) + 3 >= named, "{} of {named}", anns(&people));
    people.say(&Edit::Apart { faces: vec![ann[1], ann[2]], from: ann[0] }).unwrap();
    assert_ne!(people.person_of(ann[1]), people.person_of(ann[0]));
    assert_eq!(people.person_of(ann[1]), people.person_of(ann[2]));
    people.undo();
    assert!(anns(&people) + 3 >= named);
    assert!(people.say(&Edit::Same(ann[0], ben[0])).is_err() || photos.is_empty(), "they are on one photo");
}

#[test]
fn faces_of_one_word_are_one_person_until_somebody_knows_better() {
    // Ben on three photos, Benny on two, both on none; on photo 4 there is a Ben who is a dog.
    let face = |id: FaceId, photo: u64, word: u64| Face { id, photo, day: photo as i32, looks: vec![], word: Some(word) };
    let mut people = People::new();
    for (id, photo, word) in [(0, 0, 1), (1, 4, 1), (2, 2, 1), (3, 1, 2), (4, 3, 2), (5, 3, 3), (6, 4, 1)] {
        people.add(face(id, photo, word));
    }
    let whose = |people: &People, id: FaceId| people.person_of(id).unwrap();
    assert!(whose(&people, 0) == whose(&people, 2) && whose(&people, 3) == whose(&people, 4));
    assert_ne!(whose(&people, 1), whose(&people, 6), "nobody is twice on one photo");
    people.say(&Edit::Same(0, 3)).unwrap();
    assert_eq!(whose(&people, 2), whose(&people, 4));
    assert_eq!(people.say(&Edit::Same(5, 0)), Err(Impossible::Apart), "they are on one photo");
    people.say(&Edit::Apart { faces: vec![1], from: 0 }).unwrap();
    assert!(whose(&people, 1) != whose(&people, 0) && whose(&people, 2) == whose(&people, 0));
    people.say(&Edit::Born { face: 0, day: 0 }).unwrap();
    assert_eq!(
        (people.say(&Edit::Born { face: 4, day: 1 }), people.born(whose(&people, 4))),
        (Err(Impossible::SeenBefore), Some(0))
    );
    // Who comes late is of whom the word says, and not of whom somebody parted from them.
    people.add(face(7, 9, 1));
    people.add(Face { day: -1, ..face(8, 10, 1) });
    assert_eq!(whose(&people, 7), whose(&people, 3));
    assert_ne!(whose(&people, 8), whose(&people, 0), "seen before birth");
    check(&people);
    for _ in 0..3 {
        people.undo();
        check(&people);
    }
    assert!(whose(&people, 0) == whose(&people, 2) && whose(&people, 0) != whose(&people, 3));
}
