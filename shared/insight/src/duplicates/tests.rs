//! What two pictures are to each other, by example, and what becomes of groups whatever the pairs are.

use photovault_domain::{
    Camera, Captured, Confidence, Derivative, Derivatives, Facts, Format, Hex, Look, Media, MediaId, Sha256, UtcMs,
};
use proptest::prelude::*;

use super::*;

/// A photo whose hash has so many bits set, in the order of the bits.
pub(crate) fn photo(number: u8, bits: u32) -> Media {
    let (user, sha256) = ("ann".parse().unwrap(), Sha256::from_digest([number; 32]));
    let mut hash = [0; 32];
    (0..bits as usize).for_each(|bit| hash[bit / 8] |= 1 << (bit % 8));
    let large = Derivative {
        name: "large".into(),
        key: format!("derivatives/{number}"),
        mime: "image/jpeg".into(),
        width: 2048,
        height: 1536,
        size_bytes: 400_000,
    };
    let camera = Camera { make: Some("Make".into()), model: Some("Model".into()), ..Camera::default() };
    let id = MediaId::of_bytes(&user, &sha256);
    Media {
        sha256: Some(sha256),
        format: Some(Format::Jpeg),
        size_bytes: 1_000,
        width: Some(4_000),
        height: Some(3_000),
        updated: UtcMs(0),
        derivatives: Some(Derivatives { files: vec![large], ..Derivatives::default() }),
        look: Some(Look { phash: Hex(hash), phash_quality: 90, ..Look::default() }),
        facts: Some(Box::new(Facts { camera: Some(camera), ..Facts::default() })),
        version: 1,
        ..Media::new(user, id, UtcMs(i64::from(number)))
    }
}

fn at(mut media: Media, local: &str, subsec: Option<&str>) -> Media {
    let captured =
        Captured { local: local.into(), subsec: subsec.map(str::to_owned), confidence: Confidence::High, ..Captured::default() };
    media.facts.as_mut().unwrap().captured = Some(captured);
    media
}

#[test]
fn a_pair_has_one_tier() {
    const NOON: &str = "2024-07-04T12:00:00";
    const NEXT: &str = "2024-07-04T12:00:01";
    let plain = |bits| photo(2, bits);
    let smaller = |bits| Media { width: Some(800), height: Some(600), ..photo(2, bits) };
    let raw = Media { format: Some(Format::Dng), ..plain(2) };
    let video = Media { format: Some(Format::Mp4), ..plain(0) };
    let plainer = |bits| {
        let mut media = plain(bits);
        media.look.as_mut().unwrap().phash_quality = 20;
        media
    };
    let mut square = plain(4);
    square.derivatives.as_mut().unwrap().files[0].width = 1536;
    let mut other_camera = at(plain(20), NEXT, None);
    other_camera.facts.as_mut().unwrap().camera = None;
    let burst = |number, bits, subsec| {
        let mut media = at(photo(number, bits), NOON, Some(subsec));
        media.facts.as_mut().unwrap().burst = Some("one burst".into());
        media
    };
    let cases = vec![
        ("other metadata", photo(1, 0), at(plain(0), NOON, None), true, Some(Tier::SamePixels)),
        ("all measures are the same by chance", photo(1, 0), plain(0), false, Some(Tier::SamePicture)),
        ("the view is the same, the size is not", photo(1, 0), smaller(0), true, Some(Tier::SamePicture)),
        ("plain, but the same pixels", plainer(0), Media { id: photo(1, 0).id, ..plainer(0) }, true, Some(Tier::SamePixels)),
        ("plain pictures are all alike", photo(1, 0), plainer(4), false, None),
        ("cut", photo(1, 0), plain(48), false, Some(Tier::SamePicture)),
        ("cut too much", photo(1, 0), plain(49), false, None),
        ("cut to a square", photo(1, 0), square, false, None),
        ("raw and developed", photo(1, 0), raw, false, None),
        ("photo and video", photo(1, 0), video, false, None),
        ("a copy that forgot the time", at(photo(1, 0), NOON, Some("12")), plain(20), false, Some(Tier::SamePicture)),
        (
            "a copy that kept it",
            at(photo(1, 0), NOON, Some("12")),
            at(smaller(20), NOON, Some("12")),
            false,
            Some(Tier::SamePicture),
        ),
        (
            "a copy that dropped the fraction",
            at(photo(1, 0), NOON, Some("92")),
            at(smaller(20), NOON, None),
            false,
            Some(Tier::SamePicture),
        ),
        (
            "two frames a fraction apart",
            at(photo(1, 0), NOON, Some("12")),
            at(plain(20), NOON, Some("31")),
            false,
            Some(Tier::Burst),
        ),
        ("two frames a second apart", at(photo(1, 0), NOON, None), at(plain(64), NEXT, None), false, Some(Tier::Burst)),
        ("two frames that have little in common", at(photo(1, 0), NOON, None), at(plain(65), NEXT, None), false, None),
        ("the camera says that it is a burst", burst(1, 0, "1"), burst(2, 200, "2"), false, Some(Tier::Burst)),
        ("two cameras", at(photo(1, 0), NOON, None), other_camera, false, None),
        ("minutes apart", at(photo(1, 0), NOON, None), at(plain(2), "2024-07-04T12:09:00", None), false, None),
        (
            "one second without fractions, re-encoded",
            at(photo(1, 0), NOON, None),
            at(plain(6), NOON, None),
            false,
            Some(Tier::SamePicture),
        ),
        ("one second without fractions, moved", at(photo(1, 0), NOON, None), at(plain(7), NOON, None), false, Some(Tier::Burst)),
    ];
    for (what, one, other, is_same_view, want) in cases {
        assert_eq!(tier(&one, &other, is_same_view), want, "{what}");
        assert_eq!(tier(&other, &one, is_same_view), want, "{what}, the other way round");
    }
}

#[test]
fn the_best_says_why() {
    let small = Media { width: Some(800), ..photo(1, 0) };
    let large = photo(2, 0);
    let known = at(photo(3, 0), "2024-07-04T12:00:00", None);
    let heavy = Media { size_bytes: 2_000, ..photo(4, 0) };
    let (later, sharp) = (photo(5, 0), {
        let mut media = photo(6, 0);
        media.look.as_mut().unwrap().sharpness = 700;
        media
    });
    let of = |items: &[Media], tier| {
        let alike: Vec<Alike> = (1..items.len()).map(|place| (0, place, tier)).collect();
        let found = groups(items, &alike);
        assert_eq!(found.len(), 1);
        (found[0].best, found[0].why.clone())
    };
    assert_eq!(of(&[small.clone(), large.clone()], Tier::SamePicture), (1, "the most pixels (4000 × 3000)".into()));
    assert_eq!(of(&[large.clone(), known], Tier::SamePixels), (1, "the most is known of it (time, place, camera, words)".into()));
    assert_eq!(of(&[large.clone(), heavy], Tier::SamePicture), (1, "the largest file".into()));
    assert_eq!(of(&[later.clone(), large.clone()], Tier::SamePixels), (1, "it came first".into()));
    assert_eq!(of(&[large, later, sharp], Tier::Burst), (2, "the sharpest (700)".into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn groups_are_apart_and_around_their_best(pairs in prop::collection::vec((0_usize..14, 0_usize..14, 1_usize..4), 0..40)) {
        let items: Vec<Media> = (0..14).map(|number| photo(number, 0)).collect();
        let mut alike: Vec<Alike> =
            pairs.into_iter().filter(|(one, other, _)| one != other).map(|(one, other, tier)| (one.min(other), one.max(other), Tier::ALL[tier])).collect();
        alike.sort_unstable();
        alike.dedup_by_key(|(one, other, _)| (*one, *other));
        let found = groups(&items, &alike);
        let mut passed_over = std::collections::BTreeSet::new();
        for group in &found {
            prop_assert!(!group.others.is_empty() && !passed_over.contains(&group.best), "{:?}", found);
            for other in &group.others {
                prop_assert!(passed_over.insert(*other), "nobody is passed over twice");
                prop_assert!(alike.contains(&(group.best.min(*other), group.best.max(*other), group.tier)));
            }
        }
        for (one, other, _) in alike {
            prop_assert!(passed_over.contains(&one) || passed_over.contains(&other), "of {one} and {other} one is enough");
        }
    }
}
