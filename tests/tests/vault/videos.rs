//! Videos through the running engine: what arrives, what is seen of it, and what is refused.

use expect_test::expect;
use photovault_tests::film::Film;
use serde_json::Value;

use crate::engine::{Engine, told};

const TAGS: &[(&str, &str)] = &[
    ("com.apple.quicktime.creationdate", "2024-05-01T12:30:00+0200"),
    ("com.apple.quicktime.location.ISO6709", "+48.8577+002.2950/"),
    ("com.apple.quicktime.model", "iPhone 15"),
];

/// Which one there is depends on the system's FFmpeg.
const ENCODERS: &[&str] = &["libopenh264", "h264_videotoolbox", "libx264"];

#[tokio::test]
async fn a_video_from_a_phone_arrives() {
    let engine = Engine::start();
    let film = Film { width: 640, height: 480, rotation: 90, black: 30, frames: 75, tags: TAGS.to_vec(), ..Film::default() };
    engine.upload("users/ann/IMG_0001.MOV", film.bytes()).await;
    let item = engine.settled("ann", 1).remove(0);
    expect![[r"
        IMG_0001.MOV is ready
          upload     users/ann/IMG_0001.MOV
          validate   done
          video      done: The copy for browsers was transcoded by an encoder.
          memories   done
          notify     done
          small      240 x 320 jpeg
          medium     480 x 640 jpeg
          large      480 x 640 jpeg
    "]]
    .assert_eq(&ENCODERS.iter().fold(told(&item), |told, name| told.replace(name, "an encoder")));
    let (video, facts) = (&item["video"], &item["facts"]);
    let picture = &video["picture"];
    assert_eq!((&picture["rotation"], &picture["width"], &picture["height"]), (&90.into(), &480.into(), &640.into()));
    assert_eq!((&picture["codec"], &video["duration_ms"]), (&"mpeg4".into(), &3000.into()));
    assert!(video["poster_ms"].as_u64().is_some_and(|at| at >= 1200), "the poster frame is not black: {video}");
    assert_eq!((&facts["captured"]["local"], &facts["captured"]["offset"]), (&"2024-05-01T12:30:00".into(), &"+02:00".into()));
    assert_eq!(facts["camera"]["model"], "iPhone 15");

    let made: Vec<_> = video["files"].as_array().into_iter().flatten().map(|file| (&file["name"], &file["width"])).collect();
    let want = [("preview", 240), ("sprite", 360), ("index", 120), ("rendition", 480)]
        .map(|(name, width)| (Value::from(name), Value::from(width)));
    assert_eq!(made, want.iter().map(|(name, width)| (name, width)).collect::<Vec<_>>());
    for (name, head) in [("preview", &b"RIFF"[..]), ("sprite", b"\xFF\xD8\xFF"), ("index", b"WEBVTT"), ("rendition", b"\0\0\0")] {
        let fetched = engine.scratch(name);
        engine.ask(&["get", "IMG_0001.MOV", "--user", "ann", "--size", name, "--output", &fetched.to_string_lossy()]);
        assert!(std::fs::read(&fetched).expect("get wrote it").starts_with(head), "{name}");
    }

    // Upright: the stored picture's lower left corner, blue, is now in the upper left one.
    let poster = engine.scratch("poster.jpg");
    engine.ask(&["get", "IMG_0001.MOV", "--user", "ann", "--size", "large", "--output", &poster.to_string_lossy()]);
    let poster = image::open(&poster).expect("a JPEG").into_rgb8();
    let [r, g, b] = poster.get_pixel(poster.width() / 8, poster.height() / 8).0;
    assert!(b > 150 && r < 100 && g < 100, "({r}, {g}, {b})");

    // The same event once more changes nothing, but for the second name.
    engine.upload("users/ann/again.MOV", film.bytes()).await;
    let again = engine.wait_for("the second name", || {
        let item = engine.settled("ann", 1).remove(0);
        (item["uploads"].as_array().is_some_and(|uploads| uploads.len() == 2)).then_some(item)
    });
    assert_eq!((&again["video"], &again["derivatives"]), (&item["video"], &item["derivatives"]));

    let page = engine.command(&["show", "again.MOV", "--user", "ann"]).output().expect("show answers");
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    for words in ["mpeg4 Simple Profile; 480×640, turned by 90°; 25 frames/s", "duration    3.0 s", "48.857700, 2.295000"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn a_video_that_cannot_be_shown_is_refused_with_a_reason() {
    let engine = Engine::start();
    let film = Film::default().bytes();
    // An index whose pictures are gone: it stands behind them.
    let index = film.windows(4).position(|kind| kind == b"mdat").expect("its data") + 4;
    let mut emptied = film.clone();
    let end = film.windows(4).position(|kind| kind == b"moov").expect("its index") - 4;
    emptied[index..end].fill(0);
    engine.upload("users/ann/emptied.mov", emptied).await;
    engine.upload("users/ben/cut.mov", film[..film.len() / 2].to_vec()).await;
    engine.upload("users/cleo/list.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n".to_vec()).await;
    let end = |user: &str| -> Value { engine.settled(user, 1).remove(0) };
    let (emptied, cut, list) = (end("ann"), end("ben"), end("cleo"));
    assert_eq!(emptied["status"], "rejected", "{emptied}");
    assert!(emptied["reason"].as_str().is_some_and(|it| it.contains("how large its picture is")), "{emptied}");
    assert_eq!((&cut["status"], &list["status"]), (&"quarantined".into(), &"quarantined".into()));
    assert!(list["reason"].as_str().is_some_and(|it| it.contains("playlist")), "{list}");
    assert!(engine.ask(&["dlq", "ls"]).is_empty(), "nothing died of it");
}

#[tokio::test]
async fn a_photo_that_moves_is_shown_moving() {
    let engine = Engine::start();
    let film = Film { container: "mp4", frames: 40, ..Film::default() };
    let film = film.bytes();
    let whole = moving(&film);
    let still_bytes = whole.len() - film.len();
    engine.upload("users/ann/PXL_1.MP.jpg", whole).await;
    // The box that says what it is, and nothing of it.
    engine.upload("users/ben/PXL_2.MP.jpg", moving(&film[..400])).await;
    let item = engine.settled("ann", 1).remove(0);
    assert_eq!(item["status"], "ready", "{item}");
    assert_eq!(item["facts"]["motion"]["at"], still_bytes, "{item}");
    let mut derivatives = item["derivatives"]["files"].as_array().into_iter().flatten();
    let large = derivatives.find(|file| file["name"] == "large").expect("derivatives");
    assert_eq!((&large["width"], &large["height"]), (&640.into(), &480.into()), "the still's own");
    let video = &item["video"];
    assert_eq!((&video["picture"]["width"], &video["duration_ms"]), (&320.into(), &1600.into()), "{video}");
    let files: Vec<_> = video["files"].as_array().into_iter().flatten().map(|file| file["name"].clone()).collect();
    assert_eq!(files, ["preview", "rendition"]);
    let fetched = engine.scratch("moving.mp4");
    engine.ask(&["get", "PXL_1.MP.jpg", "--user", "ann", "--size", "rendition", "--output", &fetched.to_string_lossy()]);
    assert!(std::fs::read(&fetched).expect("get wrote it")[4..].starts_with(b"ftyp"));

    let hurt = engine.settled("ben", 1).remove(0);
    assert_eq!(hurt["status"], "ready", "the photo is well: {hurt}");
    let told = hurt["ledger"]["video"]["reason"].as_str();
    assert!(told.is_some_and(|told| told.starts_with("What moves in this photo is left out.")), "{hurt}");
}

/// A JPEG with a video behind it, as Android phones write it ("Motion Photo format", in its first form).
fn moving(film: &[u8]) -> Vec<u8> {
    let still = crate::fixtures::jpeg(640, 480, 7);
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoOffset='{}'/>\
         </rdf:RDF></x:xmpmeta>",
        film.len()
    );
    let length = u16::try_from(xmp.len() + 2).expect("it fits one segment").to_be_bytes();
    [&still[..2], b"\xFF\xE1", &length, xmp.as_bytes(), &still[2..], film].concat()
}
