//! People, duplicates and memories of a whole vault over the simulated fabric: names out of sidecars, what is said about them, what is hidden.

use photovault_domain::{
    DAY_MS, Hidden, Media, Moderation, ModerationLabel, PeopleEdit, Recognising, Sought, Tags, UserId, UtcMs, date_of_day,
    day_of_date,
};
use photovault_vault::{Change, MemoryKind, Vault, circle_of, memories_of, on_this_day, seams::Written};

use crate::{chain::Chain, fixtures};

fn ann() -> UserId {
    "ann".parse().expect("a user")
}

/// A packet with a capture time, a city and names of faces.
fn packet(taken: &str, city: &str, names: &[&str]) -> Vec<u8> {
    let face = |name: &&str| {
        let area = "<mwg-rs:Area stArea:x='0.5' stArea:y='0.25' stArea:w='0.2' stArea:h='0.1'/>";
        format!("<rdf:li><rdf:Description mwg-rs:Name='{name}' mwg-rs:Type='Face'>{area}</rdf:Description></rdf:li>")
    };
    let faces: String = names.iter().map(face).collect();
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
         xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' \
         xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/' xmlns:stArea='http://ns.adobe.com/xmp/sType/Area#' \
         exif:DateTimeOriginal='{taken}' photoshop:City='{city}'><mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag>\
         {faces}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    .into_bytes()
}

async fn take_in(chain: &mut Chain, number: u32, taken: &str, city: &str, names: &[&str]) {
    chain.upload(&format!("users/ann/{number}.jpg"), &fixtures::jpeg(24, 16, number)).await;
    chain.upload(&format!("users/ann/{number}.jpg.xmp"), &packet(taken, city, names)).await;
    chain.run().await;
}

async fn names(vault: &Vault) -> Vec<(String, usize)> {
    let persons = circle_of(vault, &ann()).await.expect("nothing fails").0.persons();
    persons.into_iter().map(|person| (person.name.unwrap_or_default(), person.photos.len())).collect()
}

/// The photos of each memory of a kind, by its title.
async fn told(vault: &Vault, today: &str) -> Vec<(MemoryKind, String, usize)> {
    let today = day_of_date(today).expect("a day");
    let memories = memories_of(vault, &ann(), today).await.expect("nothing fails");
    assert!(memories.iter().all(|memory| !memory.why.is_empty() && !memory.first.is_empty()));
    memories.into_iter().map(|memory| (memory.kind, memory.title, memory.photos)).collect()
}

#[tokio::test]
async fn what_is_said_about_people_outlives_their_photos_and_each_user_has_their_own() {
    let mut chain = Chain::new(1);
    take_in(&mut chain, 1, "2020-05-01T10:00:00", "Lisbon", &["Ben"]).await;
    take_in(&mut chain, 2, "2021-05-01T10:00:00", "Lisbon", &["Benjamin", "Ann"]).await;
    assert_eq!(names(&chain.vault).await, [("Ann".to_owned(), 1), ("Ben".to_owned(), 1), ("Benjamin".to_owned(), 1)]);
    let anchor = |circle: &photovault_insight::people::Circle, name: &str| circle.called(name)[0].anchor.clone();
    let (mut circle, _) = circle_of(&chain.vault, &ann()).await.expect("nothing fails");
    let one = vec![PeopleEdit::Same(anchor(&circle, "ben"), anchor(&circle, "benjamin"))];
    let together = PeopleEdit::Same(anchor(&circle, "ann"), anchor(&circle, "ben"));
    circle.say(&one[0]).expect("they may be one");
    assert!(circle.say(&together).is_err(), "they are on one photo");
    chain.vault.people_said.add(&ann(), one).await.expect("nothing fails");
    take_in(&mut chain, 3, "2022-05-01T10:00:00", "Porto", &["Benjamin"]).await;
    assert_eq!(names(&chain.vault).await[0].1, 3);
    let first = chain.items()["1.jpg"].id.clone();
    photovault_memories::put_in_trash(&chain.vault, &ann(), &first).await.expect("it goes");
    assert_eq!(names(&chain.vault).await, [("Benjamin".to_owned(), 2), ("Ann".to_owned(), 1)]);
    let (other, _) = circle_of(&chain.vault, &"bob".parse().expect("a user")).await.expect("nothing fails");
    assert!(other.persons().is_empty());
    photovault_memories::restore(&chain.vault, &ann(), &first).await.expect("it comes back");
    let (key, _) = chain.vault.people_said.last(&ann()).await.expect("nothing fails").expect("a line");
    chain.vault.people_said.take_back(&ann(), &key).await.expect("nothing fails");
    assert_eq!(names(&chain.vault).await.len(), 3);
}

#[tokio::test]
async fn memories_tell_of_people_and_days_until_they_are_hidden() {
    let mut chain = Chain::new(1);
    for number in 0..12 {
        let (year, names) = (2018 + number / 3, if number % 2 == 0 { vec!["Ann"] } else { vec!["Ann", "Ben"] });
        take_in(&mut chain, number, &format!("{year}-07-0{}T10:00:00", number % 3 + 1), "Lisbon", &names).await;
    }
    // Nobody knows when this one was taken: it is on the timeline, by its upload, and in no memory.
    take_in(&mut chain, 12, "", "Lisbon", &["Ann"]).await;
    let of_year = |years: &str, photos: usize| (MemoryKind::OnThisDay, format!("{years} ago today"), photos);
    let mut want: Vec<_> =
        (1..=4).map(|years| of_year(&format!("{years} year{}", if years == 1 { "" } else { "s" }), 1)).collect();
    want.push((MemoryKind::Person, "Ann through the years".to_owned(), 12));
    assert_eq!(told(&chain.vault, "2022-07-01").await, want);
    let hide = async |change: fn(&mut Hidden)| {
        let mut hidden = chain.vault.hiding.of(&ann()).await.expect("nothing fails");
        change(&mut hidden);
        assert_eq!(chain.vault.hiding.write(&ann(), &hidden).await.expect("nothing fails"), Written::Yes);
        assert_eq!(chain.vault.hiding.write(&ann(), &hidden).await.expect("nothing fails"), Written::Conflict);
    };
    hide(|hidden| hidden.days.extend(["2019-07-01".to_owned()])).await;
    want.remove(2);
    want[3].2 = 11;
    assert_eq!(told(&chain.vault, "2022-07-01").await, want);
    hide(|hidden| hidden.people.extend([("ben".to_owned(), ["ben".to_owned()].into())])).await;
    // Every second photo shows Ben as well: too few are left of Ann.
    let left = told(&chain.vault, "2022-07-01").await;
    assert_eq!(left, [of_year("2 years", 1), of_year("4 years", 1)]);
    let today = day_of_date("2022-07-01").expect("a day");
    assert_eq!(on_this_day(&chain.vault, &ann(), today).await.expect("nothing fails").len(), 2);
    hide(|hidden| hidden.places.extend(["lisbon".to_owned()])).await;
    assert_eq!(told(&chain.vault, "2022-07-01").await, []);
    assert!(chain.vault.timelines.between(&ann(), None, Some(UtcMs(i64::MAX))).await.expect("nothing fails").len() == 13);
}

#[tokio::test]
async fn no_memory_is_made_of_when_an_undated_photo_was_uploaded() {
    let mut chain = Chain::new(1);
    chain.upload("users/ann/1.jpg", &fixtures::jpeg(24, 16, 1)).await;
    chain.run().await;
    let id = chain.items()["1.jpg"].id.clone();
    let uploaded = chain.vault.catalog.media(&ann(), &id).await.expect("nothing fails").expect("it is there").taken();
    assert!(uploaded.undated);
    let date = date_of_day(uploaded.at.0.div_euclid(DAY_MS));
    let year: i32 = date[..4].parse().expect("a year");
    let later = format!("{}{}", year + 1, &date[4..]);
    assert_eq!(told(&chain.vault, &later).await, []);
    let say = |media: Option<Media>| {
        let mut media = media.expect("it is there");
        assert!(media.move_to(Some(uploaded)));
        Change::Put(media)
    };
    chain.vault.catalog.change(&ann(), &id, say).await.expect("nothing fails");
    chain.run().await;
    assert_eq!(told(&chain.vault, &later).await, [(MemoryKind::OnThisDay, "1 year ago today".to_owned(), 1)]);
}

#[tokio::test]
async fn no_memory_shows_what_is_kept_back_while_the_vault_looks_for_it() {
    let mut chain = Chain::new(1);
    for (number, year) in [(1, 2020), (2, 2021)] {
        take_in(&mut chain, number, &format!("{year}-07-01T10:00:00"), "Lisbon", &[]).await;
    }
    let label = ModerationLabel { name: "Violence".to_owned(), confidence: 90, ..ModerationLabel::default() };
    let moderation = Moderation { labels: vec![label], model: "7.0".to_owned() };
    let found = |item: Option<Media>| {
        let tags = Tags { moderation: Some(moderation.clone()), ..Tags::default() };
        item.map_or(Change::Leave, |item| Change::Put(Media { tags: Some(Box::new(tags)), ..item }))
    };
    let first = chain.items()["1.jpg"].id.clone();
    chain.vault.catalog.change(&ann(), &first, found).await.expect("nothing fails");
    for (moderation, want) in [(false, vec!["1 year ago today", "2 years ago today"]), (true, vec!["1 year ago today"])] {
        let sought = Sought { moderation, ..Sought::default() };
        let vault = chain.fabric.recognising(Recognising { sought, ..Recognising::default() });
        let titles: Vec<String> = told(&vault, "2022-07-01").await.into_iter().map(|(_, title, _)| title).collect();
        assert_eq!(titles, want);
    }
}
