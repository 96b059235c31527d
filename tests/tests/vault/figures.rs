//! What the long tests share: the machine's processes, random moments, and figures that `make torture` shows.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
};

/// Children of a process with the last word of their command line: of the engine, the functions by name.
pub(crate) fn children(of: u32) -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // pid (command) state parent; the command may hold anything.
        let parent: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let name = line.trim_end_matches('\0').rsplit('\0').next().unwrap_or_default().to_owned();
        (parent == of).then_some((pid, name))
    })
    .collect()
}

/// Proportional memory of a process in kB: shared pages are counted in parts.
pub(crate) fn pss_kb(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// A number below `bound`; another one at every call.
pub(crate) fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0_u8) % bound.max(1)
}

/// The template with short waits: what a dead child held comes back after seconds, not after twelve minutes.
pub(crate) fn short_visibility(template: &str) -> String {
    let short = |line: &str| match line.split_once("VisibilityTimeout:") {
        Some((indent, _)) => format!("{indent}VisibilityTimeout: 20"),
        None => line.to_owned(),
    };
    template.lines().map(short).collect::<Vec<_>>().join("\n")
}

/// Prints a figure so that it is found in the output of many tests.
pub(crate) fn told(figure: &str) {
    println!("figure: {figure}");
}
