//! The parsers that see foreign bytes, each as a function that must come back.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use photovault_domain::{Facts, Format, UploadKey, UserId, UtcMs};
use photovault_media::{Arrival, facts, inspect, sniff, with_arrivals};

use crate::{
    mutate::{Dice, mutated},
    seeds,
};

/// One parser, and what to begin from.
pub struct Target {
    /// What it is called.
    pub name: &'static str,
    /// Reads the bytes; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Sound inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "sniff", run: run_sniff, seeds: seeds::media },
    Target { name: "inspect", run: run_inspect, seeds: seeds::media },
    Target { name: "facts", run: run_facts, seeds: seeds::media },
    Target { name: "exif", run: run_exif, seeds: seeds::exif_blocks },
    Target { name: "xmp", run: run_xmp, seeds: seeds::xmp_packets },
    Target { name: "iptc", run: run_iptc, seeds: seeds::photoshop_resources },
    Target { name: "file-name", run: run_file_name, seeds: seeds::keys },
    Target { name: "event", run: run_event, seeds: seeds::events },
    Target { name: "dead-letter", run: run_dead_letter, seeds: seeds::events },
    Target { name: "template", run: run_template, seeds: seeds::template },
    Target { name: "key", run: run_key, seeds: seeds::keys },
];

/// What one input may take on a busy machine.
const SLOWEST: Duration = Duration::from_secs(2);

/// An input on which a target broke.
#[derive(Debug)]
pub struct Broken {
    /// Which target.
    pub target: &'static str,
    /// The seed of the dice: it repeats the input.
    pub seed: u64,
    /// The input.
    pub input: Vec<u8>,
    /// What happened.
    pub what: String,
}

/// Runs a target on the input that `seed` makes of its sound ones.
pub fn once(target: &Target, sound: &[Vec<u8>], seed: u64) -> Result<(), Broken> {
    let mut dice = Dice::new(seed);
    let (first, second) = (dice.below(sound.len()), dice.below(sound.len()));
    let input = mutated(&sound[first], &sound[second], &mut dice);
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
    let took = begun.elapsed();
    let what = match outcome {
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_else(|| "a panic".to_owned())
        }
        Ok(()) if took > SLOWEST => format!("it took {took:?}"),
        Ok(()) => return Ok(()),
    };
    Err(Broken { target: target.name, seed, input, what })
}

fn run_sniff(bytes: &[u8]) {
    sniff(bytes);
}

fn run_inspect(bytes: &[u8]) {
    match inspect(Cursor::new(bytes), bytes.len() as u64) {
        Ok(found) => {
            let pixels = u64::from(found.width.unwrap_or(1)) * u64::from(found.height.unwrap_or(1));
            assert!((1..=photovault_domain::limits::MAX_PIXELS).contains(&pixels), "{found:?}");
        }
        Err(refused) => {
            // The net below the parsers: it must not be needed.
            assert!(!refused.reason.contains("header cannot be read"), "a parser panicked: {}", refused.reason);
        }
    }
}

fn run_facts(bytes: &[u8]) {
    if let photovault_media::Sniffed::Media(format) = sniff(bytes) {
        read_facts(bytes, format);
    }
}

/// An Exif block in the JPEG that surrounds it.
fn run_exif(block: &[u8]) {
    read_facts(&seeds::jpeg_around(0xE1, b"Exif\0\0", block), Format::Jpeg);
}

fn run_xmp(packet: &[u8]) {
    read_facts(&seeds::jpeg_around(0xE1, b"http://ns.adobe.com/xap/1.0/\0", packet), Format::Jpeg);
}

fn run_iptc(resources: &[u8]) {
    read_facts(&seeds::jpeg_around(0xED, b"Photoshop 3.0\0", resources), Format::Jpeg);
}

fn run_file_name(bytes: &[u8]) {
    let name = String::from_utf8_lossy(bytes).into_owned();
    with_arrivals(Facts::default(), &[Arrival { name, at: UtcMs(1_700_000_000_000) }]);
}

fn read_facts(bytes: &[u8], format: Format) {
    let read = facts(Cursor::new(bytes), bytes.len() as u64, format);
    assert!(!read.warnings.iter().any(|warning| warning.contains("beyond reading")), "the parser panicked");
    // What is read goes into the catalog: it must be plain data.
    let json = serde_json::to_vec(&read.facts).expect("facts are plain data");
    serde_json::from_slice::<photovault_domain::Facts>(&json).expect("and come back");
}

fn run_event(bytes: &[u8]) {
    let _ = photovault_validate::arrivals(&String::from_utf8_lossy(bytes));
}

fn run_dead_letter(bytes: &[u8]) {
    let _ = serde_json::from_slice::<photovault_domain::Job>(bytes);
    let _ = serde_json::from_slice::<photovault_domain::Media>(bytes);
}

fn run_template(bytes: &[u8]) {
    let _ = photovault_local::template::read(
        &String::from_utf8_lossy(bytes),
        &photovault_local::template::Place::local("http://127.0.0.1:1"),
    );
}

fn run_key(bytes: &[u8]) {
    let owner: UserId = "owner".parse().expect("a user");
    let text = String::from_utf8_lossy(bytes);
    let key = UploadKey::parse(&text, &owner);
    let user = key.user.as_str();
    assert!(!user.is_empty() && !user.contains('/') && !user.contains('\\') && user != ".." && user != ".", "{user:?}");
    assert!(text.ends_with(&key.name), "the name is the end of the key: {:?}", key.name);
}
