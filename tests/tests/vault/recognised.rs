//! People on a laptop: the stage `tag` and the engine's own Rekognition with an embedding model, through the AWS SDK, over `kill -9`.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use photovault_eyes::specimens::{of_tint, painted_face, tinted};
use serde_json::Value;

use crate::engine::Engine;

/// Two persons, to a model that goes by the tint.
const ANN: [f32; 3] = [1.0, 0.55, 0.55];
const BEN: [f32; 3] = [0.55, 1.0, 0.55];

/// A portrait before a wall that is another one on each.
fn portrait(tint: [f32; 3], number: u32) -> Vec<u8> {
    let at = [300.0 + 90.0 * (number % 7) as f32, 400.0 + 70.0 * (number % 4) as f32];
    let mut picture: RgbImage = painted_face(1_200, 1_000, at, 120.0);
    let wall = *picture.get_pixel(0, 0);
    for (x, y, pixel) in picture.enumerate_pixels_mut().filter(|(.., pixel)| **pixel == wall) {
        let brick = (x / 150 + 1).wrapping_mul(2_654_435_761) ^ (y / 125 + 7 * number + 1).wrapping_mul(2_246_822_519);
        *pixel = Rgb([(brick >> 24) as u8 / 2 + 60; 3]);
    }
    let mut bytes = Vec::new();
    tinted(picture, tint).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).expect("it is written");
    bytes
}

/// How many photos show each person whom the recogniser found, the most first.
fn found(engine: &Engine) -> Vec<u64> {
    let people = engine.ask(&["people", "ls", "--user", "ann"]);
    let persons = people.iter().filter(|person| person["words"][0].as_str().is_some_and(|word| word.starts_with('#')));
    persons.map(|person| person["photos"].as_u64().expect("a count")).collect()
}

fn face_on(item: &Value) -> String {
    let [face] = &item["tags"]["faces"].as_array().expect("faces")[..] else { panic!("not one face: {item}") };
    face["id"].as_str().expect("a mark").to_owned()
}

#[tokio::test]
async fn an_engine_with_an_embedding_model_knows_who_is_on_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("tint.onnx");
    std::fs::write(&model, of_tint(&[-1, 3, 112, 112], false)).expect("it is written");
    let mut engine = Engine::start_with_options(&["--recognition", "people", "--embeddings", &model.to_string_lossy()]);
    let upload = async |engine: &Engine, name: &str, tint: [f32; 3], number: u32| {
        engine.upload(&format!("users/ann/{name}{number}.jpg"), portrait(tint, number)).await;
    };
    for number in 1..=3 {
        upload(&engine, "ann", ANN, number).await;
        upload(&engine, "ben", BEN, number + 10).await;
    }
    engine.settled("ann", 6);
    assert!(found(&engine).is_empty(), "three are a person only when a fourth shows that they are");
    upload(&engine, "ann", ANN, 4).await;
    upload(&engine, "ben", BEN, 14).await;
    engine.kill_and_restart();
    engine.settled("ann", 8);
    assert_eq!(found(&engine), [4, 4]);

    // Late photos join, whoever was told of before the kill.
    engine.kill_and_restart();
    upload(&engine, "ann", ANN, 5).await;
    let items = engine.settled("ann", 9);
    assert_eq!(found(&engine), [5, 4]);
    let reasons: Vec<&Value> = items.iter().map(|item| &item["ledger"]["tag"]["reason"]).collect();
    assert!(reasons.iter().all(|reason| reason.is_null()), "nothing is deferred: {reasons:?}");

    // A photo that leaves takes its face along.
    let of = |name: &str| face_on(items.iter().find(|item| item["name"] == name).expect("an item"));
    let (gone, stays) = (of("ann2.jpg"), of("ann3.jpg"));
    let collection = format!("{}.ann", engine.announced()["vault_bucket"].as_str().expect("a bucket"));
    let alike = async || {
        let recognition = engine.connection().await.seams.recognition;
        let alike = recognition.faces_like(&collection, &stays).await.expect("it answers").expect("it is not refused");
        alike.into_iter().map(|(face, _)| face).collect::<Vec<_>>()
    };
    let before = alike().await;
    assert!(before.len() == 4 && before.contains(&gone), "{before:?}");
    engine.ask(&["trash", "put", "ann2.jpg", "--user", "ann"]);
    engine.ask(&["trash", "empty", "--user", "ann"]);
    assert_eq!(found(&engine), [4, 4]);
    let after = alike().await;
    assert!(after.len() == 3 && !after.contains(&gone), "{after:?}");
}
