//! The stage over the simulated fabric: what is asked, what is not, and what a month without pictures comes to.

use std::collections::BTreeMap;

use photovault_domain::{
    Camera, Captured, Confidence, Derivative, Derivatives, Entry, Facts, Format, Hex, Job, Look, Media, MediaId, Recognise,
    Recognising, Sha256, Sought, Stage, State, Tags, UserId, UtcMs, local_of_seconds,
};
use photovault_lambda::Message;
use photovault_sim::{Fabric, Fault, Happening, MODEL, VAULT, faces_in, labels_in, moderation_in, text_in};
use photovault_vault::{Change, Item, TimelineChange, Vault, seams::ObjectAt};

use super::on_message;

pub(crate) fn user() -> UserId {
    "ann".parse().unwrap()
}

fn sha256(number: u8) -> Sha256 {
    Sha256::from_digest([number; 32])
}

pub(crate) fn id(number: u8) -> MediaId {
    MediaId::of_bytes(&user(), &sha256(number))
}

/// A photo as it is when its turn has come. Those of one burst have the same look and come within a second of each other.
pub(crate) fn photo(number: u8, at_ms: i64, burst: u8) -> Media {
    let done = |stage: Stage| (stage, Entry { state: State::Done, ..Entry::pending(stage.recipe()) });
    let file = |name: &str, side: u32| Derivative {
        name: name.into(),
        key: format!("derivatives/ann/{number}/{name}.jpg"),
        mime: "image/jpeg".into(),
        width: side,
        height: side,
        size_bytes: 9,
    };
    let captured = Captured {
        local: local_of_seconds(at_ms / 1000),
        subsec: Some(format!("{:03}", at_ms % 1000)),
        confidence: Confidence::High,
        ..Captured::default()
    };
    let camera = Camera { make: Some("M".into()), ..Camera::default() };
    let stages = [Stage::Validate, Stage::Thumbnail, Stage::Metadata, Stage::Memories].map(done);
    let pending = (Stage::Tag, Entry::pending(Stage::Tag.recipe()));
    let mut media = Media {
        sha256: Some(sha256(number)),
        format: Some(Format::Jpeg),
        ledger: stages.into_iter().chain([pending]).collect::<BTreeMap<_, _>>(),
        derivatives: Some(Derivatives { files: vec![file("medium", 1024), file("large", 2048)], ..Derivatives::default() }),
        look: Some(Look { phash: Hex([burst; 32]), phash_quality: 90, ..Look::default() }),
        facts: Some(Box::new(Facts { captured: Some(captured), camera: Some(camera), ..Facts::default() })),
        ..Media::new(user(), id(number), UtcMs(0))
    };
    media.placed = Some(media.taken().at);
    media
}

pub(crate) fn bytes(number: u8) -> Vec<u8> {
    vec![number; 9]
}

/// Puts photos into the catalog, the timeline and the bucket.
pub(crate) async fn keep(fabric: &Fabric, vault: &Vault, photos: Vec<Media>) {
    for (count, media) in (1..).zip(photos) {
        let number = media.sha256.as_ref().unwrap().as_str()[..2].to_owned();
        let number = u8::from_str_radix(&number, 16).unwrap();
        for file in &media.derivatives.as_ref().unwrap().files {
            let at = ObjectAt { bucket: VAULT.into(), key: file.key.clone(), version: None };
            fabric.world().store(&at, bytes(number).into());
        }
        let taken = media.taken();
        let placed = photovault_domain::Placed { media: media.id.clone(), taken, begins: None };
        let rewrite = photovault_domain::Rewrite { key: placed.key(), began: false, after: Some(placed) };
        let head = vault.timelines.head(&media.user).await.unwrap();
        let change =
            TimelineChange { head, item: Item::Left, rewrites: vec![rewrite], counts: vec![], said: vec![], unsaid: vec![] };
        vault.timelines.change(&media.user, change).await.unwrap();
        let put = media.clone();
        vault.catalog.change(&user(), &media.id, move |_| Change::Put(put.clone())).await.unwrap();
        assert_eq!(vault.timelines.items(&user(), None, 100).await.unwrap().items.len(), count);
    }
}

pub(crate) async fn tag(vault: &Vault, number: u8) -> anyhow::Result<Media> {
    let media = vault.catalog.media(&user(), &id(number)).await?.unwrap();
    let message = Message {
        id: "m".into(),
        receipt: "r".into(),
        body: serde_json::to_string(&Job::of(&media, Stage::Tag))?,
        received: 1,
        sent: UtcMs(0),
        queue_arn: "arn:aws:sqs:us-east-1:000000000000:photovault-tag.fifo".into(),
    };
    on_message(vault.clone(), message).await?;
    Ok(vault.catalog.media(&user(), &id(number)).await?.unwrap())
}

pub(crate) fn watched() -> Fabric {
    let fabric = Fabric::default();
    fabric.world().happened = Some(Vec::new());
    fabric
}

/// Pictures that were paid for.
fn paid(fabric: &Fabric) -> Vec<String> {
    let world = fabric.world();
    let looked = world.happened.iter().flatten().filter_map(|it| match it {
        Happening::Recognised { at, .. } => Some(at.key.clone()),
        _ => None,
    });
    looked.collect()
}

const FACES: Recognising =
    Recognising { sought: Sought { what: Recognise::Faces, text: false, moderation: false }, monthly_images: 100 };

#[tokio::test]
async fn a_photo_is_seen_once_in_its_largest_picture() {
    let fabric = watched();
    let vault = fabric.recognising(FACES);
    let person = (1..=255).find(|number| labels_in(&bytes(*number)).len() > 1).unwrap();
    let nobody = (1..=255).find(|number| labels_in(&bytes(*number)).len() == 1).unwrap();
    keep(&fabric, &vault, vec![photo(person, 1_000_000, 1), photo(nobody, 90_000_000, 2)]).await;
    let media = tag(&vault, person).await.unwrap();
    let tags = media.tags.as_ref().unwrap();
    assert_eq!((&tags.labels, &tags.faces), (&labels_in(&bytes(person)), &Some(faces_in(&bytes(person)))));
    assert_eq!(media.ledger[&Stage::Tag].state, State::Done);
    let large = format!("derivatives/ann/{person}/large.jpg");
    assert_eq!(paid(&fabric), [large.clone(), large.clone()], "labels, then faces");
    // Without a person nobody looks for faces, and a second delivery does nothing.
    assert_eq!(tag(&vault, nobody).await.unwrap().tags.unwrap().faces, None);
    tag(&vault, nobody).await.unwrap();
    assert_eq!(paid(&fabric).len(), 3);
    assert_eq!(vault.recogniser.counted(UtcMs(0)).await.unwrap(), 3);
}

#[tokio::test]
async fn a_burst_is_paid_for_once() {
    let fabric = watched();
    let vault = fabric.recognising(Recognising { sought: Recognise::Labels.into(), ..FACES });
    let burst = (1..=5).map(|number| photo(number, 1_000_000 + i64::from(number) * 900, 1));
    keep(&fabric, &vault, burst.chain([photo(6, 1_005_000, 200)]).collect()).await;
    for number in 1..=6 {
        let tags = tag(&vault, number).await.unwrap().tags.unwrap();
        let seen_in = if number == 6 { 6 } else { 1 };
        assert_eq!(tags.labels, labels_in(&bytes(seen_in)), "{number}");
        assert_eq!(tags.inherited, (2..=5).contains(&number).then(|| id(1)), "{number}");
    }
    assert_eq!(paid(&fabric), ["derivatives/ann/1/large.jpg", "derivatives/ann/6/large.jpg"]);
}

#[tokio::test]
async fn what_was_seen_in_the_same_bytes_is_not_asked_again() {
    let fabric = watched();
    let vault = fabric.recognising(FACES);
    keep(&fabric, &vault, vec![photo(1, 1_000_000, 1)]).await;
    // The item's write fails: the answer is kept all the same.
    let calls = { fabric.world().calls };
    let media = tag(&vault, 1).await.unwrap();
    let calls = fabric.world().calls - calls;
    let again = |item: Option<Media>| Change::asked_again(item, Stage::Tag);
    vault.catalog.change(&user(), &id(1), again).await.unwrap();
    let before = paid(&fabric).len();
    assert_eq!(tag(&vault, 1).await.unwrap().tags, media.tags);
    assert_eq!(paid(&fabric).len(), before);
    assert!(calls < 20, "{calls} calls for one photo");
}

#[tokio::test]
async fn a_month_without_pictures_defers_and_says_so() {
    let fabric = watched();
    let vault = fabric.recognising(Recognising { sought: Recognise::Labels.into(), monthly_images: 2 });
    keep(&fabric, &vault, (1..=3).map(|number| photo(number, i64::from(number) * 90_000_000, number)).collect()).await;
    for number in 1..=2 {
        assert!(tag(&vault, number).await.unwrap().tags.is_some());
    }
    let media = tag(&vault, 3).await.unwrap();
    let entry = &media.ledger[&Stage::Tag];
    assert_eq!((entry.state, media.tags.is_some(), media.status()), (State::Done, false, photovault_domain::Status::Ready));
    assert_eq!(entry.reason.as_deref(), Some("deferred: the month's 2 pictures have been looked at"));
    let waiting = vault.recogniser.deferred(None, 10).await.unwrap().items;
    assert!(waiting.len() == 1 && waiting[0].media == id(3) && !vault.recogniser.is_due(&waiting[0]));
    assert_eq!(paid(&fabric).len(), 2);
}

const ALL: Recognising = Recognising { sought: Sought { text: true, moderation: true, ..FACES.sought }, ..FACES };

#[tokio::test]
async fn who_looks_for_more_later_pays_for_that_alone() {
    let fabric = watched();
    let person = (1..=255).find(|number| labels_in(&bytes(*number)).len() > 1).unwrap();
    keep(&fabric, &fabric.recognising(FACES), vec![photo(person, 1_000_000, 1)]).await;
    let again = |item: Option<Media>| Change::asked_again(item, Stage::Tag);
    let text_alone = Sought { what: Recognise::Off, text: true, moderation: false };
    let labels_alone = Sought::from(Recognise::Labels);
    for (sought, looks, want) in [
        (labels_alone, 1, Tags { labels: labels_in(&bytes(person)), model: MODEL.into(), ..Tags::default() }),
        (text_alone, 2, Tags { text: Some(text_in(&bytes(person))), ..Tags::default() }),
        (
            ALL.sought,
            4,
            Tags {
                labels: labels_in(&bytes(person)),
                model: MODEL.into(),
                faces: Some(faces_in(&bytes(person))),
                text: Some(text_in(&bytes(person))),
                moderation: Some(moderation_in(&bytes(person))),
                inherited: None,
            },
        ),
        (text_alone, 4, Tags { text: Some(text_in(&bytes(person))), ..Tags::default() }),
    ] {
        let vault = fabric.recognising(Recognising { sought, ..ALL });
        vault.catalog.change(&user(), &id(person), again).await.unwrap();
        assert_eq!(tag(&vault, person).await.unwrap().tags.as_deref(), Some(&want), "{sought}");
        assert_eq!((paid(&fabric).len(), vault.recogniser.counted(UtcMs(0)).await.unwrap()), (looks, looks as u32), "{sought}");
    }
    // In a vault that looks for nothing any more, what is known stays.
    let off = fabric.vault();
    off.catalog.change(&user(), &id(person), again).await.unwrap();
    let media = tag(&off, person).await.unwrap();
    assert!(media.tags.is_some() && media.ledger[&Stage::Tag].reason.as_deref() == Some("nothing is looked for in this vault"));
}

#[tokio::test]
async fn frames_of_a_burst_have_moderation_in_common_and_text_each_their_own() {
    let fabric = watched();
    let vault = fabric.recognising(Recognising { sought: Sought { what: Recognise::Labels, ..ALL.sought }, ..ALL });
    let burst = (1..=3).map(|number| photo(number, 1_000_000 + i64::from(number) * 900, 1));
    keep(&fabric, &vault, burst.collect()).await;
    for number in 1..=3 {
        let tags = tag(&vault, number).await.unwrap().tags.unwrap();
        assert_eq!(tags.inherited, (number > 1).then(|| id(1)), "{number}");
        assert_eq!((tags.moderation, tags.text), (Some(moderation_in(&bytes(1))), Some(text_in(&bytes(number)))), "{number}");
    }
    assert_eq!(paid(&fabric).len(), 3 + 1 + 1, "all of the first, the text of the others");
}

#[tokio::test]
async fn what_one_look_saw_stays_when_the_next_one_is_deferred() {
    let fabric = watched();
    let vault = fabric.recognising(Recognising { monthly_images: 1, ..ALL });
    let nobody = (1..=255).find(|number| labels_in(&bytes(*number)).len() == 1).unwrap();
    keep(&fabric, &vault, vec![photo(nobody, 1_000_000, 1)]).await;
    let media = tag(&vault, nobody).await.unwrap();
    let tags = media.tags.as_ref().unwrap();
    assert_eq!((&tags.labels, &tags.moderation, &tags.text), (&labels_in(&bytes(nobody)), &None, &None));
    assert!(media.ledger[&Stage::Tag].reason.as_ref().unwrap().starts_with("deferred"));
    assert_eq!(vault.recogniser.deferred(None, 10).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_fault_at_any_call_never_looks_more_than_it_counts() {
    for at in 0..24 {
        for fault in [Fault::Before, Fault::After] {
            let fabric = watched();
            let vault = fabric.recognising(ALL);
            keep(&fabric, &vault, vec![photo(1, 1_000_000, 1)]).await;
            fabric.world().faults = std::iter::repeat_n(None, at).chain([Some(fault)]).collect();
            let mut tries = 0;
            let media = loop {
                match tag(&vault, 1).await {
                    Ok(media) if media.ledger[&Stage::Tag].state == State::Done => break media,
                    _ => tries += 1,
                }
                assert!(tries < 5);
            };
            let tags = media.tags.unwrap();
            let want = (labels_in(&bytes(1)), Some(moderation_in(&bytes(1))), Some(text_in(&bytes(1))));
            assert_eq!((tags.labels, tags.moderation, tags.text), want);
            let looks = 3 + usize::from(tags.faces.is_some());
            let counted = vault.recogniser.counted(UtcMs(0)).await.unwrap() as usize;
            // What was seen and not kept is paid for again: one look at most.
            assert!(paid(&fabric).len() <= counted && counted <= looks + 1, "{at} {fault:?}: {counted} counted");
        }
    }
}
