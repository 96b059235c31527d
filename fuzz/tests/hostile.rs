//! The short form over a corpus: its hostile files as they are, and a thousand hurt files, through the decoder. This program is
//! its own decoder, so it has a main of its own in place of the usual harness.

use std::path::PathBuf;

use photovault_fuzz::corpus;

/// Hurt files.
const HURT_FILES: u64 = 1_000;

fn main() {
    if photovault_sandbox::is_decoder() {
        photovault_sandbox::serve().expect("the decoder serves until its socket closes");
        return;
    }
    let mut passed = 0;
    if let Some(folder) = corpus_folder() {
        let hostile = corpus::hostile_files(&folder).expect("the corpus has a manifest");
        assert!(hostile.len() > 300, "only {} hostile files", hostile.len());
        let report = corpus::unhurt(&hostile).expect("decoders can be started");
        print!("{report}");
        assert!(report.is_sound() && report.count(corpus::End::Shown) > 50, "{report}");
        println!("test the {} hostile files of the corpus ... ok", hostile.len());
        let report = corpus::hurt(&corpus::small_files(&folder).expect("it was read before"), 0, HURT_FILES)
            .expect("decoders can be started");
        print!("{report}");
        assert!(report.is_sound(), "{report}");
        println!("test {HURT_FILES} hurt files of the corpus ... ok");
        passed = 2;
    }
    println!("\ntest result: ok. {passed} passed; 0 failed; {} ignored", 2 - passed);
}

#[expect(clippy::disallowed_methods, reason = "where the corpus lies is an argument of this test")]
fn corpus_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PHOTOVAULT_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: PHOTOVAULT_CORPUS does not say where the corpus is");
    }
    folder
}
