//! Files that other people made, as uploads: what `validate`, `metadata` and `thumbnail` do with their bytes, decoder process included.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Cursor},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use photovault_domain::{Kind, Outputs, limits::MAX_DECODE_S};
use photovault_media::{facts, inspect};
use photovault_sandbox::{Decoder, Input};
use photovault_sim::Random;

use crate::mutate::mutated;

/// Only files up to this size are hurt: beyond it a wound rarely meets a header, and decoding takes all the time.
const MOST_BYTES: u64 = 300_000;
/// Inputs under way at once, each with a decoder of its own.
const WORKERS: u64 = 2;

/// How one input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Taken, and shown.
    Shown,
    /// Taken, and not a photo.
    Video,
    /// Refused by validation, with a reason.
    Refused,
    /// Taken, and nothing can be shown of it, with a reason.
    Unreadable,
    /// The decoder crashed; the function told why and went on.
    Contained,
    /// The decoder was ended for its time.
    Hung,
    /// The decoder was ended for its memory.
    Swelled,
    /// The function itself broke.
    Broken,
}

/// How all of them ended.
#[derive(Debug, Default)]
pub struct Report {
    /// How many ended how.
    pub ends: BTreeMap<End, u64>,
    /// What was not shown, refused or unreadable in peace, by input.
    pub worst: Vec<(String, End, String)>,
    /// The slowest input.
    pub slowest: (Duration, String),
}

impl Report {
    /// How many ended so.
    pub fn count(&self, end: End) -> u64 {
        self.ends.get(&end).copied().unwrap_or(0)
    }

    /// Whether no function broke, nothing hung and nothing was too large.
    pub fn is_sound(&self) -> bool {
        [End::Broken, End::Hung, End::Swelled].iter().all(|end| self.count(*end) == 0)
    }

    fn add(&mut self, name: String, end: End, words: String, took: Duration) {
        *self.ends.entry(end).or_default() += 1;
        if end >= End::Contained {
            self.worst.push((name.clone(), end, words));
        }
        self.slowest = self.slowest.clone().max((took, name));
    }

    fn merge(&mut self, other: Self) {
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.worst.extend(other.worst);
        self.slowest = self.slowest.clone().max(other.slowest);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.ends.values().sum();
        let ends: Vec<_> = self.ends.iter().map(|(end, count)| format!("{count} {end:?}").to_lowercase()).collect();
        writeln!(f, "{total} inputs: {}; slowest {:.1?} ({})", ends.join(", "), self.slowest.0, self.slowest.1)?;
        self.worst.iter().try_for_each(|(name, end, words)| writeln!(f, "  {end:?}: {name}: {words}"))
    }
}

/// The files of a corpus whose category says that they are hostile or malformed.
pub fn hostile_files(corpus: &Path) -> io::Result<Vec<PathBuf>> {
    listed(corpus, |columns| columns.get(9).is_some_and(|category| category.contains("malformed") || *category == "bomb"))
}

/// The files of a corpus that are small enough to be hurt.
pub fn small_files(corpus: &Path) -> io::Result<Vec<PathBuf>> {
    listed(corpus, |columns| columns.get(2).and_then(|bytes| bytes.parse().ok()).is_some_and(|bytes: u64| bytes <= MOST_BYTES))
}

fn listed(corpus: &Path, wanted: impl Fn(&[&str]) -> bool) -> io::Result<Vec<PathBuf>> {
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv"))?;
    let rows = manifest.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    Ok(rows
        .filter(|columns| wanted(columns))
        .filter_map(|columns| Some(corpus.join(columns.get(1)?)))
        .filter(|file| file.is_file())
        .collect())
}

/// Every file as it is.
pub fn unhurt(files: &[PathBuf]) -> io::Result<Report> {
    run(files.len() as u64, |number| {
        let file = &files[usize::try_from(number).unwrap_or(0)];
        Ok((file.display().to_string(), fs::read(file)?))
    })
}

/// So many hurt files. The seed of each is its number added to `seed`.
pub fn hurt(files: &[PathBuf], seed: u64, count: u64) -> io::Result<Report> {
    run(count, |number| {
        let mut random = Random::new(seed + number);
        let mut choose = |end: usize| random.below(end as u64) as usize;
        let (file, other) = (&files[choose(files.len())], &files[choose(files.len())]);
        let bytes = mutated(&fs::read(file)?, &fs::read(other)?, &mut choose);
        Ok((format!("{} (seed {})", file.display(), seed + number), bytes))
    })
}

fn run(count: u64, input: impl Fn(u64) -> io::Result<(String, Vec<u8>)> + Sync) -> io::Result<Report> {
    let next = AtomicU64::new(0);
    let work = || -> io::Result<Report> {
        let decoder = Decoder::start()?;
        let mut report = Report::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(report);
            }
            let (name, bytes) = input(number)?;
            let begun = Instant::now();
            let (end, words) = catch_unwind(AssertUnwindSafe(|| end_of(&decoder, &bytes)))
                .unwrap_or_else(|_| (End::Broken, "the function panicked".to_owned()));
            report.add(name, end, words, begun.elapsed());
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let mut all = Report::default();
        for worker in workers {
            all.merge(worker.join().unwrap_or_else(|_| Err(io::Error::other("a worker panicked")))?);
        }
        Ok(all)
    })
}

fn end_of(decoder: &Decoder, bytes: &[u8]) -> (End, String) {
    let size_bytes = bytes.len() as u64;
    let found = match inspect(Cursor::new(bytes), size_bytes) {
        Ok(found) => found,
        Err(refused) if refused.reason.ends_with('.') => return (End::Refused, refused.reason),
        Err(refused) => return (End::Broken, format!("a reason that is no sentence: {}", refused.reason)),
    };
    facts(Cursor::new(bytes), size_bytes, found.format);
    if found.format.kind() == Kind::Video {
        return (End::Video, String::new());
    }
    match Input::of(bytes).and_then(|photo| decoder.derive(&photo, found.format, Outputs::DEFAULT)) {
        Ok(Ok(_)) => (End::Shown, String::new()),
        Ok(Err(unreadable)) => (kind_of(&unreadable.reason), unreadable.reason),
        Err(error) => (End::Broken, error.to_string()),
    }
}

fn kind_of(reason: &str) -> End {
    if reason.contains("the decoder crashed") {
        End::Contained
    } else if reason.contains("the decoder ended") {
        // It has no reason to: this is our fault.
        End::Broken
    } else if reason.contains(&format!("longer than the limit of {MAX_DECODE_S} seconds")) {
        End::Hung
    } else if reason.contains("bytes for a decoder") {
        End::Swelled
    } else {
        End::Unreadable
    }
}
