//! What is built for Lambda: that Amazon Linux 2023 has what it needs, and that it answers under AWS's emulator as the laptop does.
//!
//! `make test` builds it by `PROFILE=lambda-test scripts/lambda.sh`; where that is not, these tests say that they look at nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use photovault_tests::{film::Film, project, template::Template, tools};
use serde_json::{Value, json};

use crate::{
    emulator::{Emulator, has_layer},
    engine::{Engine, succeeded, told},
    fixtures,
};

#[test]
fn what_is_built_needs_nothing_that_lambda_lacks() {
    let Some(built) = tools::built_for_lambda("notify") else { return };
    for function in functions(&built) {
        let layer = if has_layer(&function) { built.join("media") } else { PathBuf::new() };
        succeeded(&mut glibc(&layer, &[built.join(&function).join("bootstrap")]));
    }
}

#[test]
fn the_layer_needs_nothing_that_lambda_lacks() {
    let Some(built) = tools::built_for_lambda("media") else { return };
    let libraries: Vec<_> = fs::read_dir(built.join("media/lib")).expect("the layer").map(|it| it.unwrap().path()).collect();
    assert!(libraries.len() >= 8, "{libraries:?}");
    succeeded(&mut glibc(&built.join("media"), &libraries));
}

#[test]
fn what_is_too_new_for_lambda_is_found() {
    let Some(venv) = tools::python_venv() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let zig = |glibc: &str, arguments: &[&str]| {
        let mut command = Command::new(venv.join("bin/python"));
        command.args(["-m", "ziglang", "cc", "-target", &format!("x86_64-linux-gnu.{glibc}")]).args(arguments);
        succeeded(command.current_dir(folder.path()));
    };
    // arc4random came with glibc 2.36.
    fs::write(at("new.c"), "unsigned arc4random(void); int main(void) { return arc4random() == 1; }").unwrap();
    fs::write(at("old.c"), "int main(void) { return 0; }").unwrap();
    fs::write(at("own.c"), "int own(void) { return 0; }").unwrap();
    fs::write(at("uses.c"), "int own(void); int main(void) { return own(); }").unwrap();
    fs::create_dir_all(at("layer/lib")).unwrap();
    zig("2.36", &["new.c", "-o", "new"]);
    zig("2.31", &["old.c", "-o", "old"]);
    zig("2.31", &["-shared", "own.c", "-o", "layer/lib/libown.so", "-Wl,-soname,libown.so"]);
    zig("2.31", &["uses.c", "layer/lib/libown.so", "-o", "uses"]);

    let none = Path::new("");
    for (layer, program, want) in
        [(none, "old", None), (none, "new", Some("GLIBC_2.36")), (none, "uses", Some("libown.so")), (&at("layer"), "uses", None)]
    {
        let Output { status, stderr, .. } = glibc(layer, &[at(program)]).output().expect("glibc.sh starts");
        let said = String::from_utf8_lossy(&stderr);
        assert_eq!(status.success(), want.is_none(), "{program}: {said}");
        assert!(want.is_none_or(|want| said.contains(want)), "{program}: {said}");
    }
}

#[test]
fn sample_events_get_the_answers_that_they_get_here() {
    let Some(built) = tools::built_for_lambda("notify") else { return };
    let engine = Engine::start();
    let mut seen = 0;
    for function in functions(&built).iter().filter(|name| *name != PANICS) {
        let emulator = Emulator::start(&built, function, &engine);
        for event in fs::read_dir(project::root().join("functions").join(function).join("events")).expect("sample events") {
            let event = event.unwrap().path();
            let here = engine.ask(&["invoke", function, "-e", &event.to_string_lossy()]).remove(0);
            let there = emulator.invoke(&serde_json::from_slice(&fs::read(&event).unwrap()).expect("JSON"));
            assert_eq!(there, here["answer"], "{}", event.display());
            seen += 1;
        }
    }
    assert!(seen > 0, "no sample event was found");
}

#[test]
fn every_function_answers_its_sample_events_and_the_document_names_them() {
    let (engine, template, document) = (Engine::start(), Template::load(), project::read("docs/deploy.md"));
    for function in template.resources("AWS::Serverless::Function") {
        let folder = function.properties["CodeUri"].as_str().expect("a folder");
        let row = document.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{}`", function.name)));
        let row = row.unwrap_or_else(|| panic!("docs/deploy.md names no sample event of {}", function.name));
        let events: Vec<_> = fs::read_dir(project::root().join(folder).join("events")).expect("sample events").collect();
        assert!(!events.is_empty(), "{folder}/events is empty");
        for event in events {
            let event = event.unwrap();
            let name = event.file_name().into_string().unwrap();
            assert!(row.contains(&format!("`{name}`")), "docs/deploy.md does not name {name} of {}", function.name);
            let stage = folder.trim_start_matches("functions/");
            let said = engine.ask(&["invoke", stage, "-e", &event.path().to_string_lossy()]).remove(0);
            assert!(said["answer"]["errorMessage"].is_null(), "{stage}, {name}: {said}");
        }
    }
}

#[test]
fn a_panic_is_an_answer() {
    let Some(built) = tools::built_for_lambda(PANICS) else { return };
    let emulator = Emulator::start(&built, PANICS, &Engine::start());
    assert_eq!(emulator.invoke(&json!({ "calm": true })), json!({ "calm": true }));
    let answer = emulator.invoke(&json!({ "panic": "out of cheese" }));
    assert!(answer["errorMessage"].as_str().is_some_and(|text| text.contains("out of cheese")), "{answer}");
    assert_eq!(emulator.invoke(&json!({ "calm": true })), json!({ "calm": true }), "the next event finds it alive");
}

/// The stages that need the layer are not run by the engine, but by what was built for Lambda.
#[tokio::test]
async fn photos_and_videos_are_shown_by_what_is_built_for_lambda() {
    let Some(built) = tools::built_for_lambda("video") else { return };
    let template = ["Thumbnail", "Video"].iter().fold(project::read("template.yaml"), |text, stage| {
        let queue = format!("            Queue: !GetAtt {stage}Queue.Arn\n");
        assert!(text.contains(&queue), "{stage} has a mapping from its queue");
        text.replace(&queue, &format!("{queue}            Enabled: false\n"))
    });
    let engine = Engine::start_with(Some(&template));
    let emulators = ["thumbnail", "video"].map(|stage| (stage, Emulator::start(&built, stage, &engine)));
    let film = Film { width: 640, height: 480, rotation: 90, frames: 75, ..Film::default() };
    let mut originals = vec![("drawn.jpg", fixtures::jpeg(640, 480, 1)), ("drawn.mov", film.bytes())];
    if let Some(corpus) = tools::corpus() {
        let read = |path: &str| fs::read(corpus.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        originals.push(("phone.heic", read("exifr/heic-iphone7.heic")));
        originals.push(("phone.mov", read("androidx-media/mp4/dolbyVision-hdr.MOV")));
        originals.push(("av1.mp4", read("androidx-media/mp4/sample_av1.mp4")));
    }
    for (name, bytes) in &originals {
        engine.upload(&format!("users/ann/{name}"), bytes.clone()).await;
    }
    let taken_in = engine.wait_for("all taken in", || {
        let items = engine.ask(&["ls", "--user", "ann"]);
        (items.len() == originals.len()).then_some(items)
    });
    for item in &taken_in {
        for (stage, emulator) in &emulators {
            if item["ledger"][stage].is_object() {
                assert_eq!(emulator.invoke(&job(stage, item)), json!({ "batchItemFailures": [] }), "{stage}: {item}");
            }
        }
    }
    for item in engine.settled("ann", originals.len()) {
        let told = told(&item);
        println!("{told}");
        let stage = if item["ledger"]["video"].is_object() { "video" } else { "thumbnail" };
        assert_eq!((&item["ledger"][stage]["state"], &item["status"]), (&json!("done"), &json!("ready")), "{told}");
        if stage == "video" {
            let names: Vec<_> = item["video"]["files"].as_array().into_iter().flatten().map(|file| &file["name"]).collect();
            // The corpus's videos are too short for more.
            let wanted: &[&str] =
                if item["name"] == "drawn.mov" { &["preview", "sprite", "index", "rendition"] } else { &["rendition"] };
            assert!(wanted.iter().all(|name| names.contains(&&json!(name))), "{names:?}: {told}");
        }
    }
}

/// An example of shared/lambda.
const PANICS: &str = "panics";

/// A job as the stage's queue delivers it: the sample event, about this item.
fn job(stage: &str, item: &Value) -> Value {
    let text = project::read(format!("functions/{stage}/events/job.json"));
    let mut event: Value = serde_json::from_str(&text).expect("JSON");
    event["Records"][0]["body"] = json!(json!({ "user": "ann", "media": item["id"], "stage": stage }).to_string());
    event
}

fn functions(built: &Path) -> Vec<String> {
    let folders = fs::read_dir(built).expect("what was built").map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.join("bootstrap").is_file());
    folders.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn glibc(layer: &Path, files: &[PathBuf]) -> Command {
    let mut command = Command::new(project::root().join("scripts/glibc.sh"));
    command.arg(layer).args(files);
    command
}
