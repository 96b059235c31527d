//! The parsers that see foreign bytes, each as a bolero target that must come back: without a panic, within its time, and
//! with what it promises.
//!
//! The engine makes the choices by which sound inputs are hurt, so it can shrink an input that breaks something; it names the
//! seed that brings that input back (`BOLERO_RANDOM_SEED`). `make fuzz` runs the same targets for as long as one likes.

use std::{
    fmt,
    io::Cursor,
    time::{Duration, Instant},
};

use bolero::{Driver, ValueGenerator};
use photovault_domain::{Facts, Format, Job, Media, UploadKey, UserId, UtcMs, limits::MAX_PIXELS};
use photovault_local::template;
use photovault_media::{Arrival, Read, Sniffed, facts, inspect, sniff, with_arrivals, with_sidecar};

use crate::{mutate::mutated, seeds};

/// Inputs for each parser where nothing else is said.
const INPUTS: usize = 3_000;
/// What one input may take on a busy machine.
const SLOWEST: Duration = Duration::from_secs(2);

macro_rules! targets {
    ($($name:ident reads $seeds:ident;)+) => {
        mod run {
            $(
                #[test]
                fn $name() {
                    let sound = super::seeds::$seeds();
                    for input in &sound {
                        super::$name(input);
                    }
                    bolero::check!()
                        .with_generator(super::Hurt(sound))
                        .with_iterations(super::INPUTS)
                        .for_each(|input: &super::Input| super::in_time(super::$name, &input.0));
                }
            )+
        }
    };
}

targets! {
    sniffing reads media;
    inspection reads media;
    inspection_of_videos reads videos;
    metadata reads media;
    exif reads exif_blocks;
    xmp reads xmp_packets;
    iptc reads photoshop_resources;
    file_name reads keys;
    event reads events;
    dead_letter reads events;
    template_of_the_vault reads template;
    key reads keys;
}

/// An input, shown so that it can be pasted into a test.
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Makes hurt inputs of these sound ones.
struct Hurt(Vec<Vec<u8>>);

impl ValueGenerator for Hurt {
    type Output = Input;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Input> {
        let mut choose = |end: usize| if end == 0 { 0 } else { (0..end).generate(driver).unwrap_or(0) };
        let (first, second) = (choose(self.0.len()), choose(self.0.len()));
        Some(Input(mutated(&self.0[first], &self.0[second], &mut choose)))
    }
}

fn in_time(target: fn(&[u8]), input: &[u8]) {
    let begun = Instant::now();
    target(input);
    assert!(begun.elapsed() < SLOWEST, "it took {:?}", begun.elapsed());
}

fn sniffing(bytes: &[u8]) {
    sniff(bytes);
}

fn inspection(bytes: &[u8]) {
    match inspect(Cursor::new(bytes), bytes.len() as u64) {
        Ok(found) => {
            let pixels = u64::from(found.width.unwrap_or(1)) * u64::from(found.height.unwrap_or(1));
            assert!((1..=MAX_PIXELS).contains(&pixels), "{found:?}");
        }
        Err(refused) => {
            // The net below the parsers: it must not be needed.
            assert!(!refused.reason.contains("header cannot be read"), "a parser panicked: {}", refused.reason);
        }
    }
}

fn inspection_of_videos(bytes: &[u8]) {
    inspection(bytes);
}

fn metadata(bytes: &[u8]) {
    if let Sniffed::Media(format) = sniff(bytes) {
        read_facts(bytes, format);
    }
}

/// An Exif block in the JPEG that surrounds it.
fn exif(block: &[u8]) {
    read_facts(&seeds::jpeg_around(0xE1, b"Exif\0\0", block), Format::Jpeg);
}

fn xmp(packet: &[u8]) {
    with_sidecar(Read::default(), packet);
    read_facts(&seeds::jpeg_around(0xE1, b"http://ns.adobe.com/xap/1.0/\0", packet), Format::Jpeg);
}

fn iptc(resources: &[u8]) {
    read_facts(&seeds::jpeg_around(0xED, b"Photoshop 3.0\0", resources), Format::Jpeg);
}

fn file_name(bytes: &[u8]) {
    let name = String::from_utf8_lossy(bytes).into_owned();
    with_arrivals(Facts::default(), &[Arrival { name, at: UtcMs(1_700_000_000_000) }]);
}

fn read_facts(bytes: &[u8], format: Format) {
    let read = facts(Cursor::new(bytes), bytes.len() as u64, format);
    assert!(!read.warnings.iter().any(|warning| warning.contains("beyond reading")), "the parser panicked");
    // What is read goes into the catalog: it must be plain data.
    let json = serde_json::to_vec(&read.facts).expect("facts are plain data");
    serde_json::from_slice::<Facts>(&json).expect("and come back");
}

fn event(bytes: &[u8]) {
    let _ = photovault_validate::arrivals(&String::from_utf8_lossy(bytes));
}

fn dead_letter(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Job>(bytes);
    let _ = serde_json::from_slice::<Media>(bytes);
}

fn template_of_the_vault(bytes: &[u8]) {
    let _ = template::read(&String::from_utf8_lossy(bytes), &template::Place::local("http://127.0.0.1:1"));
}

fn key(bytes: &[u8]) {
    let owner: UserId = "owner".parse().expect("a user");
    let text = String::from_utf8_lossy(bytes);
    let key = UploadKey::parse(&text, &owner);
    let user = key.user.as_str();
    assert!(!user.is_empty() && !user.contains('/') && !user.contains('\\') && user != ".." && user != ".", "{user:?}");
    assert!(text.ends_with(&key.name), "the name is the end of the key: {:?}", key.name);
}
