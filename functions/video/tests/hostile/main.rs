//! Hostile videos: what is asked to open something else opens nothing, confined or not. This program is its own decoder, and its own
//! subject under `strace`, so it has a main of its own in place of the usual harness.

mod files;

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use photovault_domain::{Format, Rendition};
use photovault_media::{SNIFF_BYTES, Sniffed, inspect, sniff};
use photovault_sandbox::{Decoder, Input, VIDEO};
use photovault_tests::film::Film;
use photovault_video::Question;

use files::{FORMATS, Hostile, all};

/// What the traced program opens when its own start is over. There is no such file.
const BEGIN: &str = "/photovault-hostile-begins-here";

fn main() {
    if photovault_sandbox::is_decoder() {
        photovault_video::serve().expect("the decoder serves until its socket closes");
        return;
    }
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, traced, address, path] = &arguments[..]
        && traced == "traced"
    {
        read_all_here(address, path);
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let canary = folder.path().join("canary.mov");
    fs::write(&canary, Film::default().bytes()).expect("room for it");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it can be asked");
    let address = listener.local_addr().expect("it has one").to_string();
    let path = canary.to_string_lossy().into_owned();

    let files = all(&address, &path);
    assert!(files.len() >= 40, "{} hostile files", files.len());
    no_hostile_file_is_shown(&files);
    println!("test no_hostile_file_is_shown ... ok");
    let traced = nothing_is_opened(folder.path(), &address, &path);
    println!("test nothing_is_opened ... {}", if traced { "ok" } else { "ok, by listening alone: there is no strace" });
    assert!(listener.accept().is_err(), "somebody called");
    println!("\ntest result: ok. 2 passed; 0 failed; 0 ignored; {} hostile files", files.len());
}

/// Validation refuses it, or the decoder does, each with a reason; and the decoder still shows what is sound.
fn no_hostile_file_is_shown(files: &[Hostile]) {
    let decoder = Decoder::start_for(&VIDEO).expect("a decoder starts");
    for Hostile { name, bytes } in files {
        let begun = Instant::now();
        let inspected = inspect(std::io::Cursor::new(bytes), bytes.len() as u64);
        let told = match sniff(&bytes[..bytes.len().min(SNIFF_BYTES)]) {
            Sniffed::Media(format) => vec![format],
            // Validation ends here. The reader is asked nevertheless, whatever it is told that this is.
            Sniffed::Other(_) => FORMATS.to_vec(),
        };
        assert!(inspected.is_ok() || inspected.is_err_and(|refused| refused.reason.len() > 10), "{name}");
        for format in told {
            let input = on_disk(bytes);
            let made = photovault_video::ask(&decoder, &input, question(format)).expect("a decoder can be started").made;
            let reason = made.err().unwrap_or_else(|| panic!("{name} as {format:?} is shown"));
            assert!(reason.len() > 20, "{name} as {format:?}: {reason}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} took {:?}", begun.elapsed());
    }
    let sound = on_disk(&Film::default().bytes());
    let shown = photovault_video::ask(&decoder, &sound, question(Format::Mov)).expect("a decoder can be started").made;
    assert_eq!(shown.map(|shown| shown.video.duration_ms), Ok(2000));
}

/// The same without confinement, under `strace`: FFmpeg itself must not try. `false` without `strace`.
fn nothing_is_opened(folder: &Path, address: &str, path: &str) -> bool {
    let trace = folder.join("trace");
    let program = std::env::current_exe().expect("this program has a path");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=%network,%file", "-o"]).arg(&trace).arg(&program).args(["traced", address, path]);
    let Ok(status) = strace.status() else {
        let status = Command::new(&program).args(["traced", address, path]).status().expect("it starts");
        assert!(status.success());
        return false;
    };
    assert!(status.success(), "{status}");
    let trace = fs::read_to_string(&trace).expect("strace wrote it");
    let (_, after) = trace.split_once(BEGIN).expect("the marker is there");
    let calls: Vec<&str> = after.lines().skip(1).filter(|line| !line.contains("+++") && !line.contains("---")).collect();
    // What processor this is, for the number of threads.
    let is_known = |line: &&&str| {
        ["/sys/devices/system", "/proc/self", "/proc/cpuinfo", "/sys/fs/cgroup"].iter().any(|it| line.contains(it))
    };
    let unknown: Vec<_> = calls.iter().filter(|line| !is_known(line)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    true
}

fn read_all_here(address: &str, path: &str) {
    let files = all(address, path);
    let inputs: Vec<Input> = files.iter().map(|file| on_disk(&file.bytes)).collect();
    // Loads what is loaded once.
    let sound = on_disk(&Film::default().bytes());
    photovault_video::show_here(&sound, question(Format::Mov)).expect("it is read").expect("it is sound");
    assert!(fs::File::open(BEGIN).is_err());
    for (Hostile { name, .. }, input) in files.iter().zip(&inputs) {
        for format in FORMATS {
            let made = photovault_video::show_here(input, question(*format)).expect("it is read");
            assert!(made.is_err(), "{name} as {format:?} is shown");
        }
    }
}

fn question(format: Format) -> Question {
    Question { format, rendition: Rendition::default(), most_work_s: None }
}

fn on_disk(bytes: &[u8]) -> Input {
    let mut input = Input::on_disk().expect("storage");
    input.write_all(bytes).expect("room for it");
    input
}
