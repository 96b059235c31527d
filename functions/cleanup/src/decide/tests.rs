//! The table of what may go.

use std::collections::BTreeMap;

use photovault_domain::{Entry, Format, MediaId, Refusal, STAGES, Sha256, Stage, State, Upload, UserId, derivative_key};

use super::*;

const NOW: i64 = 100 * DAY_MS as i64;
const TERMS: Terms = Terms { now: UtcMs(NOW), trash_days: 30, quarantine_days: 30, leftover_days: 1 };

fn days_ago(days: i64) -> UtcMs {
    UtcMs(NOW - days * DAY_MS as i64)
}

fn photo() -> Media {
    let (user, sha256): (UserId, _) = ("ann".parse().unwrap(), Sha256::from_digest([1; 32]));
    let id = MediaId::of_bytes(&user, &sha256);
    let entry = |stage: Stage| (stage, Entry { state: State::Done, ..Entry::pending(stage.recipe()) });
    let stages = STAGES.iter().map(|spec| spec.stage).filter(|stage| *stage != Stage::Video);
    Media {
        sha256: Some(sha256),
        format: Some(Format::Jpeg),
        ledger: stages.map(entry).collect::<BTreeMap<_, _>>(),
        updated: days_ago(50),
        ..Media::new(user, id, days_ago(60))
    }
}

#[test]
fn trash_goes_when_its_time_is_over_and_not_before() {
    for (trashed, want) in [(None, false), (Some(days_ago(29)), false), (Some(days_ago(30)), true), (Some(UtcMs(NOW + 1)), false)]
    {
        assert_eq!(of_trash(TERMS, &Media { trashed, ..photo() }), want, "{trashed:?}");
    }
    let mut busy = Media { trashed: Some(days_ago(40)), ..photo() };
    busy.retry(Stage::Thumbnail);
    assert!(!of_trash(TERMS, &busy), "a stage is at it");
    assert!(of_trash(TERMS, &Media { leaving: Some(days_ago(0)), ..busy }), "there is no way back");
}

#[test]
fn refused_bytes_go_a_month_after_their_last_upload() {
    let upload = |days: i64| Upload {
        name: "a".into(),
        bucket: "b".into(),
        key: "a".into(),
        version: days.to_string(),
        at: days_ago(days),
    };
    let refused = |uploads: Vec<Upload>| Media { refusal: Some(Refusal::Rejected), uploads, ..photo() };
    for (item, want) in [
        (refused(vec![upload(60)]), true),
        (refused(vec![upload(60), upload(29)]), false),
        (refused(vec![]), true),
        (Media { created: days_ago(3), ..refused(vec![upload(60)]) }, false),
        (Media { uploads: vec![upload(60)], ..photo() }, false),
    ] {
        assert_eq!(of_refused(TERMS, &item), want, "{item:?}");
    }
}

#[test]
fn only_what_another_recipe_replaced_is_stale() {
    let item = photo();
    let key = |recipe: &str| format!("derivatives/ann/{}/{recipe}/small.jpg", item.id);
    let (new, old) = (Stage::Thumbnail.recipe().to_string(), "000000000000".to_owned());
    let fate = |item: Option<&Media>, recipe: &str, days: i64| of_derivative(TERMS, item, &key(recipe), recipe, days_ago(days));
    assert_eq!(derivative_key(&item.user, &item.id, &Stage::Thumbnail.recipe(), "small.jpg"), key(&new));
    assert_eq!((fate(Some(&item), &new, 50), fate(Some(&item), &old, 50)), (Fate::Stays, Fate::Stale));
    assert_eq!((fate(None, &new, 50), fate(None, &new, 0)), (Fate::Orphan, Fate::Stays));
    let mut busy = item.clone();
    busy.retry(Stage::Thumbnail);
    let failed = {
        let mut item = item.clone();
        item.fail(Stage::Thumbnail, "no".into(), days_ago(50));
        item.ledger.values_mut().filter(|entry| entry.state == State::Pending).for_each(|entry| entry.state = State::Done);
        item
    };
    let fresh = Media { updated: days_ago(0), ..item.clone() };
    for (what, item) in [("busy", &busy), ("failed", &failed), ("fresh", &fresh)] {
        assert_eq!(fate(Some(item), &old, 50), Fate::Stays, "{what}");
    }
}

#[test]
fn orphans_are_seen_twice() {
    for (first, want) in [
        (None, Sighting::First),
        (Some(days_ago(0)), Sighting::TooSoon),
        (Some(days_ago(1)), Sighting::Second),
        (Some(days_ago(179)), Sighting::Second),
        (Some(UtcMs(-80 * DAY_MS as i64)), Sighting::First),
    ] {
        assert_eq!(of_orphan(TERMS, first), want, "{first:?}");
    }
}

#[test]
fn an_upload_is_left_to_its_stage_and_to_its_owner() {
    for (days, given_up, want) in [(0, false, false), (1, false, true), (90, true, false)] {
        assert_eq!(of_upload(TERMS, days_ago(days), given_up), want);
    }
}
