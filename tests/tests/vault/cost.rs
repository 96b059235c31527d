//! What a photo costs on AWS, from the requests that the engine counts: `photovault cost`.

use expect_test::expect;
use serde_json::Value;

use crate::engine::{Engine, photovault, succeeded};

/// Photos of the story.
const PHOTOS: usize = 20;

#[test]
fn a_photo_takes_so_many_requests_and_so_little_money() {
    let engine = Engine::start();
    let library = engine.scratch("library");
    let count = PHOTOS.to_string();
    succeeded(photovault().arg("sample").arg(&library).args(["--photos", &count, "--size", "0.5"]));
    engine.ask(&["import", &library.join("photos").to_string_lossy()]);
    engine.settled("owner", PHOTOS);
    let cost = engine.ask(&["cost"]).remove(0);
    assert_eq!((&cost["for"], &cost["measured"]["photos"]), (&"1,000 photos".into(), &PHOTOS.into()));
    let lines = cost["lines"].as_array().expect("lines");
    let count = |what: &str| number(&lines.iter().find(|line| line["what"] == what).expect("a line")["count"]);
    // An upload, its copy, four derivatives, what the file says of itself.
    expect!["7"].assert_eq(&format!("{}", count("PUT, COPY, LIST") / 1000.0));
    // What a photo's metadata take depends on the photo; and a write that loses against another is repeated.
    assert!((3.0..=6.0).contains(&(count("GET, HEAD") / 1000.0)), "{lines:?}");
    assert!((12.0..=45.0).contains(&(count("write units") / 1000.0)), "{lines:?}");
    assert!((5.0..=20.0).contains(&(count("read units") / 1000.0)), "{lines:?}");
    let functions = cost["functions"].as_array().expect("functions");
    // What counts may have its batch of half a minute still before it.
    let names = functions.iter().map(|function| function["name"].as_str().expect("a name")).filter(|name| *name != "analytics");
    let names: Vec<_> = names.collect();
    assert_eq!(names, ["dispatch", "memories", "metadata", "notify", "thumbnail", "validate"]);
    assert!(
        functions.iter().all(|function| number(&function["cpu_ms"]) > 0.0 && number(&function["peak_mb"]) > 5.0),
        "{functions:?}"
    );
    let once = lines.iter().filter(|line| line["each_month"] == false).map(|line| number(&line["usd"])).sum::<f64>();
    assert!((0.03..=0.09).contains(&once), "{once}: {lines:?}");
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}
