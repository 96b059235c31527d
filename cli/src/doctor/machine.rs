//! The machine and what it lets processes do.

use photovault_sandbox::Decoder;
use rustix::process::{Resource, getrlimit};

use super::{Check, State};
use crate::table::bytes;

/// Memory that the engine, its functions and a decode of the largest photo have room in.
const ENOUGH_MEMORY: u64 = 2_000_000_000;
/// Connections, children and files of a busy engine.
const ENOUGH_FILES: u64 = 1024;

pub(super) fn checks() -> Vec<Check> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut checks = vec![Check::good("processor", format!("{cores} × {}, {}", std::env::consts::ARCH, std::env::consts::OS))];
    checks.extend(memory());
    checks.push(open_files());
    checks.push(confinement());
    checks
}

fn memory() -> Option<Check> {
    let told = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let available = line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024;
    let found = format!("{} available", bytes(available));
    Some(if available < ENOUGH_MEMORY {
        let advice = "close other programs, or give `photovault up --workers 1`: each child of a function takes up to its memory of the template";
        Check::new("memory", State::Poor, found, advice)
    } else {
        Check::good("memory", found)
    })
}

fn open_files() -> Check {
    let limit = getrlimit(Resource::Nofile).current;
    let found = limit.map_or("no limit".to_owned(), |limit| format!("{limit} at once"));
    match limit {
        Some(limit) if limit < ENOUGH_FILES => {
            Check::new("open files", State::Poor, found, format!("`ulimit -n {ENOUGH_FILES}` before `photovault up`"))
        }
        _ => Check::good("open files", found),
    }
}

/// What a decoder gives up here, tried in one.
fn confinement() -> Check {
    let what = "confinement of codecs";
    match Decoder::start() {
        Ok(decoder) => {
            let held = decoder.protections();
            let is_closed = held.limits && held.opens_no_files && held.makes_no_sockets && held.starts_no_programs;
            let advice = if is_closed {
                ""
            } else {
                "a hostile photo that breaks a codec could reach more than it should: use a kernel with seccomp and Landlock (Linux 5.13 or later), \
                 and a container runtime that allows both"
            };
            Check::new(what, if is_closed { State::Good } else { State::Poor }, held.to_string(), advice)
        }
        Err(error) => Check::new(
            what,
            State::Bad,
            format!("no decoder can be started: {error}"),
            "codecs then run in the functions themselves: a container or sandbox may forbid starting programs",
        ),
    }
}
