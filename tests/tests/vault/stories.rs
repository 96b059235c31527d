//! Stories through the running engine: what an owner does, and what the vault says in the end.

use std::{fs, process::Command};

use expect_test::expect;
use photovault_domain::original_key;
use photovault_tests::{project, tools};
use photovault_vault::seams::Served;

use crate::{
    engine::{Engine, succeeded, told},
    fixtures,
};

/// A real photo of an iPhone, in the corpus.
const HEIC: &str = "exifr/heic-iphone7.heic";

#[test]
fn a_photo_from_a_phone_arrives() {
    let Some(corpus) = tools::corpus() else { return };
    let engine = Engine::start();
    engine.ask(&["import", &corpus.join(HEIC).to_string_lossy(), "--user", "ann"]);
    let item = engine.settled("ann", 1).remove(0);
    expect![[r"
        heic-iphone7.heic is ready
          upload     users/ann/heic-iphone7.heic
          validate   done
          thumbnail  done
          metadata   done
          memories   done
          notify     done
          small      320 x 240 jpeg
          medium     1024 x 768 jpeg
          large      2048 x 1536 jpeg
          small      320 x 240 webp
          full       4032 x 3024 jpeg
    "]]
    .assert_eq(&told(&item));
    assert!(item["facts"]["captured"]["local"].is_string(), "a phone says when: {}", item["facts"]);
    for size in ["small", "medium", "large", "full", "original"] {
        let file = engine.scratch(size);
        engine.ask(&["get", "heic-iphone7.heic", "--user", "ann", "--size", size, "--output", &file.to_string_lossy()]);
        assert!(fs::metadata(&file).expect("get wrote it").len() > 1_000, "{size}");
    }
    assert_eq!(fs::read(engine.scratch("original")).unwrap(), fs::read(corpus.join(HEIC)).unwrap(), "not one byte is changed");
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_item_under_two_names() {
    let engine = Engine::start();
    let photo = fixtures::jpeg(640, 480, 1);
    engine.upload("users/ann/a.jpg", photo.clone()).await;
    engine.settled("ann", 1);
    engine.upload("users/ann/copy of a.jpg", photo.clone()).await;
    let item = engine.wait_for("the second name", || {
        let item = engine.settled("ann", 1).remove(0);
        (item["uploads"].as_array().is_some_and(|uploads| uploads.len() == 2)).then_some(item)
    });
    expect![[r"
        copy of a.jpg is ready
          upload     users/ann/a.jpg
          upload     users/ann/copy of a.jpg
          validate   done
          thumbnail  done
          metadata   done
          memories   done
          notify     done
          small      320 x 240 jpeg
          medium     640 x 480 jpeg
          large      640 x 480 jpeg
          small      320 x 240 webp
    "]]
    .assert_eq(&told(&item));
    // XMP files are what they are by their names: two of the same bytes, and one beside a photo that is there by another name.
    let folder = engine.scratch("album");
    fs::create_dir(&folder).expect("a folder");
    let packet = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description \
                  xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4'/></rdf:RDF></x:xmpmeta>";
    for (name, bytes) in [("1.jpg", photo.clone()), ("2.jpg", fixtures::jpeg(640, 480, 2))] {
        fs::write(folder.join(name), bytes).expect("a photo");
        fs::write(folder.join(format!("{name}.xmp")), packet).expect("a sidecar");
    }
    engine.ask(&["import", &folder.to_string_lossy(), "--user", "ann"]);
    engine.wait_for("the ratings", || {
        let items = engine.settled("ann", 3);
        let rated = items.iter().filter(|item| item["facts"]["rating"] == 4).count();
        (rated == 2).then_some(items)
    });
    // Another user's same bytes are another item.
    engine.upload("users/ben/a.jpg", photo).await;
    assert_ne!(engine.settled("ben", 1).remove(0)["id"], item["id"]);
}

#[tokio::test]
async fn a_name_is_data_whatever_it_holds() {
    let engine = Engine::start();
    let name = "ünï cödé + space%2B/../x.jpg";
    engine.upload(name, fixtures::jpeg(640, 480, 2)).await;
    engine.upload(&format!("users/ann/{name}"), fixtures::jpeg(640, 480, 3)).await;
    expect![[r"
        ünï cödé + space%2B/../x.jpg is ready
          upload     ünï cödé + space%2B/../x.jpg
          validate   done
          thumbnail  done
          metadata   done
          memories   done
          notify     done
          small      320 x 240 jpeg
          medium     640 x 480 jpeg
          large      640 x 480 jpeg
          small      320 x 240 webp
    "]]
    .assert_eq(&told(&engine.settled("owner", 1).remove(0)));
    expect![[r"
        ünï cödé + space%2B/../x.jpg is ready
          upload     users/ann/ünï cödé + space%2B/../x.jpg
          validate   done
          thumbnail  done
          metadata   done
          memories   done
          notify     done
          small      320 x 240 jpeg
          medium     640 x 480 jpeg
          large      640 x 480 jpeg
          small      320 x 240 webp
    "]]
    .assert_eq(&told(&engine.settled("ann", 1).remove(0)));
    assert_eq!(engine.show(name, "ann")["status"], "ready");
}

#[tokio::test]
async fn a_poison_message_is_dead_lettered_and_redriven_after_the_cause_is_gone() {
    let engine = Engine::start();
    engine.upload("a.jpg", fixtures::jpeg(640, 480, 4)).await;
    let item = engine.settled("owner", 1).remove(0);
    let id = item["id"].as_str().expect("an id").to_owned();

    // The cause: somebody removes the original. Then a stage is asked for again.
    let key = original_key(&"owner".parse().unwrap(), &item["sha256"].as_str().unwrap().parse().unwrap());
    let (at, objects) = (engine.object("vault_bucket", &key), engine.connection().await.seams.objects);
    objects.remove(&at).await.expect("the original can be removed");
    engine.ask(&["retry", &id, "--stage", "thumbnail"]);

    // Five attempts, 2, 4, 8, 16 and 32 seconds apart.
    let letters = engine.wait_for("the dead letter", || Some(engine.ask(&["dlq", "ls"])).filter(|letters| !letters.is_empty()));
    assert_eq!(letters.len(), 1);
    assert_eq!(
        (&letters[0]["stage"], &letters[0]["media"], &letters[0]["name"]),
        (&"thumbnail".into(), &id.into(), &"a.jpg".into())
    );
    assert_eq!(engine.ask(&["failures"]).len(), 1);
    let failed = engine.settled("owner", 1).remove(0);
    expect![[r"
        a.jpg is failed
          upload     a.jpg
          validate   done
          thumbnail  failed: thumbnail gave up after 5 attempts: the original originals/… is missing from the vault bucket
          metadata   done
          memories   done
          notify     done
          small      320 x 240 jpeg
          medium     640 x 480 jpeg
          large      640 x 480 jpeg
          small      320 x 240 webp
    "]]
    .assert_eq(&told(&failed).replace(&key, "originals/…"));

    // The cause goes away, and the letter is sent again.
    let served = Served { mime: "image/jpeg".into(), immutable: true };
    objects.write(&at, fixtures::jpeg(640, 480, 4).into(), &served).await.expect("the original comes back");
    assert_eq!(engine.ask(&["dlq", "redrive", "--all"]).len(), 1);
    let ready =
        engine.wait_for("the item's recovery", || Some(engine.show("a.jpg", "owner")).filter(|it| it["status"] == "ready"));
    assert!(told(&ready).contains("thumbnail  done"), "{}", told(&ready));
    assert!(engine.ask(&["dlq", "ls"]).is_empty(), "a redriven letter is forgotten");
}

#[test]
fn a_client_that_is_not_ours_is_served() {
    let Some(venv) = tools::python_venv() else { return };
    let engine = Engine::start();
    let photos: Vec<_> = (0..4).map(|seed| engine.scratch(&format!("{seed}.jpg"))).collect();
    for (path, seed) in photos.iter().zip(10..) {
        fs::write(path, fixtures::jpeg(2400, 1600, seed)).expect("a fixture");
    }
    let mut script = Command::new(venv.join("bin/python"));
    script.arg(project::root().join("tests/boto3_story.py")).arg(engine.data().join("engine.json")).args(&photos);
    print!("{}", String::from_utf8_lossy(&succeeded(&mut script).stdout));
}
