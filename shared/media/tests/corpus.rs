//! Every file of the corpus (`PHOTOVAULT_CORPUS`) through every function: nothing panics, nothing hangs, and what
//! another decoder can show is shown, but for the exceptions listed with their reasons in `corpus-exceptions.tsv`.

use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use photovault_domain::{DERIVATIVE_SIZES, Kind, limits::MAX_PIXELS};
use photovault_media::{derive, facts, inspect, sniff};

/// What one file may take on a busy machine.
const SLOWEST: Duration = Duration::from_secs(10);

/// How a file ended, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Derived,
    Video,
    Refused(String),
    Unreadable(String),
}

#[test]
fn every_file_comes_to_an_end() {
    let Some(corpus) = corpus() else { return };
    let files = files_of(&corpus);
    assert!(files.len() > 900, "the corpus has only {} files", files.len());
    let next = AtomicUsize::new(0);
    let mut ends: BTreeMap<String, (End, Duration)> = BTreeMap::new();
    std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let start = Instant::now();
                let end = end_of(file);
                let name = file.strip_prefix(&corpus).expect("it lies in the corpus").to_string_lossy().into_owned();
                done.push((name, (end, start.elapsed())));
            }
            done
        };
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            ends.extend(worker.join().expect("no file makes a worker panic"));
        }
    });
    report(&ends);
    let slow: Vec<_> = ends.iter().filter(|(_, (_, took))| *took > SLOWEST).collect();
    assert!(slow.is_empty(), "too slow: {slow:?}");
    check_against_pillow(&corpus, &ends);
}

fn end_of(file: &Path) -> End {
    let bytes = fs::read(file).expect("corpus files can be read");
    sniff(&bytes[..bytes.len().min(4096)]);
    let found = match inspect(Cursor::new(&bytes), bytes.len() as u64) {
        Ok(found) => found,
        Err(refused) => {
            if let Some(format) = refused.format {
                facts(Cursor::new(&bytes), bytes.len() as u64, format);
                assert!(derive(&bytes, format).is_err(), "{}: what is refused is not decoded", file.display());
            }
            assert!(refused.reason.ends_with('.') && refused.reason.len() > 20, "{}: '{}'", file.display(), refused.reason);
            return End::Refused(refused.reason);
        }
    };
    facts(Cursor::new(&bytes), bytes.len() as u64, found.format);
    if found.format.kind() == Kind::Video {
        return End::Video;
    }
    let (width, height) = (found.width.expect("photos have a width"), found.height.expect("photos have a height"));
    assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
    match derive(&bytes, found.format) {
        Ok(rendered) => {
            assert_eq!(rendered.files.len(), DERIVATIVE_SIZES.len(), "{}", file.display());
            for (made, wanted) in rendered.files.iter().zip(DERIVATIVE_SIZES) {
                let longest = made.width.max(made.height);
                assert!(longest <= wanted.longest_side, "{}: {} has {longest} pixels", file.display(), made.name);
                assert!(made.bytes.starts_with(&[0xFF, 0xD8, 0xFF]), "{}", file.display());
                let again = inspect(Cursor::new(&made.bytes), made.bytes.len() as u64).expect("a derivative is a photo");
                assert_eq!((again.width, again.height), (Some(made.width), Some(made.height)), "{}", file.display());
            }
            End::Derived
        }
        Err(unreadable) => {
            assert!(unreadable.reason.ends_with('.'), "{}: '{}'", file.display(), unreadable.reason);
            End::Unreadable(unreadable.reason)
        }
    }
}

fn report(ends: &BTreeMap<String, (End, Duration)>) {
    let count = |kind: fn(&End) -> bool| ends.values().filter(|(end, _)| kind(end)).count();
    println!(
        "{} files: {} derived, {} videos, {} refused, {} unreadable",
        ends.len(),
        count(|end| *end == End::Derived),
        count(|end| *end == End::Video),
        count(|end| matches!(end, End::Refused(_))),
        count(|end| matches!(end, End::Unreadable(_))),
    );
    let mut slowest: Vec<_> = ends.iter().collect();
    slowest.sort_by_key(|(_, (_, took))| std::cmp::Reverse(*took));
    for (file, (_, took)) in slowest.iter().take(5) {
        println!("  slowest: {file} {took:?}");
    }
    if std::env::args().any(|argument| argument == "--nocapture") {
        for (file, (end, _)) in ends.iter().filter(|(_, (end, _))| !matches!(end, End::Derived | End::Video)) {
            println!("  {file}: {end:?}");
        }
    }
}

/// The formats, by Pillow's names, that the vault takes.
const FORMATS: [&str; 9] = ["AVIF", "BMP", "GIF", "HEIF", "JPEG", "MPO", "PNG", "TIFF", "WEBP"];

fn check_against_pillow(corpus: &Path, ends: &BTreeMap<String, (End, Duration)>) {
    let outcomes = fs::read_to_string(corpus.join("expected/pillow-decode.json")).expect("the corpus has Pillow's outcomes");
    let outcomes: BTreeMap<String, serde_json::Value> = serde_json::from_str(&outcomes).expect("they are JSON");
    let exceptions: BTreeMap<&str, &str> =
        include_str!("corpus-exceptions.tsv").lines().skip(1).filter_map(|line| line.split_once('\t')).collect();
    let mut shown = 0;
    let mut unexpected = Vec::new();
    let mut stale: Vec<&str> = exceptions.keys().copied().collect();
    for (file, outcome) in &outcomes {
        let is_ours = outcome["ok"] == 1 && outcome["fmt"].as_str().is_some_and(|format| FORMATS.contains(&format));
        let Some((end, _)) = ends.get(file).filter(|_| is_ours) else { continue };
        if *end == End::Derived {
            shown += 1;
        } else if exceptions.contains_key(file.as_str()) {
            stale.retain(|listed| listed != file);
        } else {
            unexpected.push(format!("{file}\t{end:?}"));
        }
    }
    println!("of what Pillow decodes: {shown} shown, {} listed exceptions", exceptions.len());
    assert!(unexpected.is_empty(), "Pillow shows these and we do not:\n{}", unexpected.join("\n"));
    assert!(stale.is_empty(), "listed as exceptions, but shown or gone: {stale:?}");
}

#[expect(clippy::disallowed_methods, reason = "where the corpus lies is an argument of this test")]
fn corpus() -> Option<PathBuf> {
    let corpus = std::env::var_os("PHOTOVAULT_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        println!("skipped: PHOTOVAULT_CORPUS does not say where the corpus is");
    }
    corpus
}

fn files_of(corpus: &Path) -> Vec<PathBuf> {
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).expect("the corpus has a manifest");
    manifest
        .lines()
        .skip(1)
        .filter_map(|line| Some(corpus.join(line.split('\t').nth(1)?)))
        .filter(|file| file.is_file())
        .collect()
}
