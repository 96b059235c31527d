//! What becomes of a photo when its decoder crashes, hangs, swells or reaches out. This program is its own decoder, so it has
//! a main of its own in place of the usual harness.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Cursor, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use photovault_domain::{Format, Outputs};
use photovault_media::{Rendered, Unreadable};
use photovault_sandbox::{Decoder, Input};

fn main() {
    if photovault_sandbox::is_decoder() {
        photovault_sandbox::serve_with(wicked).expect("the decoder serves until its socket closes");
        return;
    }
    if std::env::args().nth(1).as_deref() == Some(A_FUNCTION) {
        return be_a_function_whose_decoder_hangs();
    }
    let tests: &[(&str, fn())] = &[
        ("a_photo_comes_back_as_derivatives", a_photo_comes_back_as_derivatives),
        ("every_ending_is_a_reason_and_the_next_photo_is_served", every_ending_is_a_reason_and_the_next_photo_is_served),
        ("a_photo_is_not_blamed_for_what_another_did", a_photo_is_not_blamed_for_what_another_did),
        ("nothing_can_be_reached_from_inside", nothing_can_be_reached_from_inside),
        ("a_decoder_that_grew_is_replaced", a_decoder_that_grew_is_replaced),
        ("a_decoder_at_work_ends_with_its_function", a_decoder_at_work_ends_with_its_function),
    ];
    for (name, test) in tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed; 0 ignored", tests.len());
}

/// Does what the "photo" says.
fn wicked(bytes: &[u8], format: Format, outputs: Outputs) -> Result<Rendered, Unreadable> {
    let told = |reason: String| Err(Unreadable { reason });
    match bytes {
        b"crash" => std::process::abort(),
        b"overflow" => told(deep(1).to_string()),
        b"hang" => loop {
            std::hint::spin_loop();
        },
        b"memory" => {
            // Untouched: it is the address space that is limited.
            let mut hoard: Vec<Vec<u8>> = Vec::new();
            loop {
                hoard.push(vec![0; 64 << 20]);
            }
        }
        b"exit" => std::process::exit(0),
        b"noise" => {
            // As C does it: what cannot be written is lost.
            (0..50_000).for_each(|_| drop(writeln!(std::io::stderr(), "a library complains about something")));
            told("heard".to_owned())
        }
        b"grow" => {
            // Never given back.
            std::mem::forget(vec![1_u8; 300 << 20]);
            told("grown".to_owned())
        }
        b"reach" => told(reach()),
        _ => photovault_media::derive_as(bytes, format, outputs),
    }
}

fn deep(level: u64) -> u64 {
    let room = std::hint::black_box([level; 1024]);
    if level == 0 { 0 } else { deep(level + 1) + room[usize::try_from(level % 1024).unwrap_or(0)] }
}

/// What a hostile codec would try; says what succeeded.
fn reach() -> String {
    let tried = [
        ("read a file", File::open("/etc/passwd").is_ok()),
        ("list a folder", std::fs::read_dir("/").is_ok()),
        ("write a file", File::create("/tmp/photovault-escaped").is_ok()),
        ("read its memory map", std::fs::read("/proc/self/maps").is_ok()),
        (
            "connect",
            TcpStream::connect("127.0.0.1:1").err().is_none_or(|error| error.kind() == std::io::ErrorKind::ConnectionRefused),
        ),
        ("make a socket pair", std::os::unix::net::UnixStream::pair().is_ok()),
        ("start a program", Command::new("/bin/true").spawn().is_ok()),
        ("see the environment", std::env::vars_os().any(|(name, _)| name != "LD_LIBRARY_PATH")),
    ];
    let reached: Vec<_> = tried.iter().filter(|(_, reached)| *reached).map(|(what, _)| *what).collect();
    let thread = std::thread::spawn(|| 7).join().expect("a thread may be started");
    format!("reached: {reached:?}, thread: {thread}")
}

fn photo() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(640, 480, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Jpeg).expect("a picture can be written");
    bytes.into_inner()
}

fn ask(decoder: &Decoder, bytes: &[u8]) -> Result<Rendered, String> {
    let input = Input::of(bytes).expect("there is memory for the photo");
    decoder
        .derive(&input, Format::Jpeg, Outputs::DEFAULT)
        .expect("a decoder can be started")
        .map_err(|unreadable| unreadable.reason)
}

fn a_photo_comes_back_as_derivatives() {
    let decoder = Decoder::start().expect("a decoder starts");
    let photo = photo();
    let here = photovault_media::derive_as(&photo, Format::Jpeg, Outputs::DEFAULT).expect("it is sound");
    let before = photovault_media::cpu_ns();
    assert_eq!(ask(&decoder, &photo), Ok(here));
    assert!(photovault_media::cpu_ns() > before, "the decoder's CPU time is counted");
    let process = decoder.process();
    assert!(process.is_some());
    assert!(ask(&decoder, b"words").unwrap_err().contains("not a photo"));
    assert!(ask(&decoder, b"").unwrap_err().contains("empty"));
    assert_eq!(decoder.process(), process, "it stays warm");
}

fn every_ending_is_a_reason_and_the_next_photo_is_served() {
    let decoder = Decoder::with_patience(Duration::from_secs(3)).expect("a decoder starts");
    let photo = photo();
    for (bytes, words) in [
        (&b"crash"[..], "the decoder crashed on its data"),
        (b"overflow", "the decoder crashed on its data"),
        (b"hang", "longer than the limit of 40 seconds"),
        (b"memory", "more memory than the limit of 1342177280 bytes"),
        (b"exit", "ended on its data without an answer"),
        (b"noise", "heard"),
    ] {
        let begun = Instant::now();
        let reason = ask(&decoder, bytes).unwrap_err();
        assert!(reason.contains(words), "{}: {reason}", String::from_utf8_lossy(bytes));
        assert!(begun.elapsed() < Duration::from_secs(20), "{reason}: {:?}", begun.elapsed());
        assert!(ask(&decoder, &photo).is_ok(), "after {reason}");
    }
}

fn a_photo_is_not_blamed_for_what_another_did() {
    let decoder = Decoder::start().expect("a decoder starts");
    assert!(ask(&decoder, &photo()).is_ok());
    let warm = decoder.process().expect("it is warm");
    let killed = Command::new("kill").args(["-ABRT", &warm.to_string()]).status().expect("kill runs");
    assert!(killed.success());
    assert!(ask(&decoder, &photo()).is_ok(), "tried again in a new decoder");
    assert_ne!(decoder.process(), Some(warm));
}

fn nothing_can_be_reached_from_inside() {
    let decoder = Decoder::start().expect("a decoder starts");
    println!("{}", decoder.protections());
    let reached = ask(&decoder, b"reach").unwrap_err();
    let held = decoder.protections();
    assert!(held.limits, "{held}");
    if cfg!(target_os = "linux") {
        assert!(held.seccomp && held.opens_no_files && held.makes_no_sockets && held.starts_no_programs, "{held}");
        assert_eq!(reached, "reached: [], thread: 7");
    }
}

fn a_decoder_that_grew_is_replaced() {
    let decoder = Decoder::start().expect("a decoder starts");
    assert_eq!(ask(&decoder, b"grow").unwrap_err(), "grown");
    if cfg!(target_os = "linux") {
        assert_eq!(decoder.process(), None);
    }
    assert!(ask(&decoder, &photo()).is_ok());
}

/// The first argument of this program where it stands for a function.
const A_FUNCTION: &str = "be-a-function";

fn be_a_function_whose_decoder_hangs() {
    let decoder = Decoder::start().expect("a decoder starts");
    println!("{}", decoder.process().expect("it is warm"));
    let _ = ask(&decoder, b"hang");
}

fn a_decoder_at_work_ends_with_its_function() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let program = std::env::current_exe().expect("this program has a path");
    let mut function = Command::new(program).arg(A_FUNCTION).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut decoder = String::new();
    BufReader::new(function.stdout.take().expect("a pipe")).read_line(&mut decoder).expect("its decoder's number");
    let decoder: u32 = decoder.trim().parse().expect("a number");
    let is_there = || std::fs::read(format!("/proc/{decoder}/cmdline")).is_ok_and(|words| !words.is_empty());
    let busy_ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{decoder}/stat")).expect("it runs");
        stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(11)?.parse::<u64>().ok()).expect("a number")
    };
    let before = busy_ticks();
    within(Duration::from_secs(20), "the decoder is at work", || busy_ticks() > before + 2);
    function.kill().expect("it can be killed");
    function.wait().expect("it ends");
    within(Duration::from_secs(5), "the decoder is gone", || !is_there());
}

fn within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
