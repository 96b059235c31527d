//! What a child has used of the machine, with what it started: a function's decoder works for the function.

use std::fs;

/// So far, from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Processor time.
    pub(super) cpu_ms: u64,
    /// In memory at most: the sum over the processes, each at its own time.
    pub(super) peak_mb: u64,
}

impl Spent {
    /// Of a running child, as proc(5) has it; nothing where there is no such thing.
    pub(super) fn of(pid: u32) -> Self {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let started = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let started: Vec<u32> =
            started.flat_map(|text| text.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect();
        let all = started.into_iter().map(|pid| (pid, false)).chain([(pid, true)]);
        let each = all.map(|(pid, with_ended)| (cpu_ms(pid, with_ended).unwrap_or(0), peak_mb(pid).unwrap_or(0)));
        each.fold(Self::default(), |sum, (cpu_ms, peak_mb)| Self { cpu_ms: sum.cpu_ms + cpu_ms, peak_mb: sum.peak_mb + peak_mb })
    }
}

/// Of a process, and of those that it has started and that have ended. Linux counts in hundredths of a second here.
fn cpu_ms(pid: u32, with_ended: bool) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name, which may hold anything. utime is the 14th, and cutime, cstime follow stime.
    let fields = stat.rsplit_once(") ")?.1.split(' ').skip(11).take(if with_ended { 4 } else { 2 });
    Some(fields.map(|ticks| ticks.parse().unwrap_or(0)).sum::<u64>() * 10)
}

fn peak_mb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().split(' ').next()?.parse::<u64>().ok().map(|kb| kb.div_ceil(1024))
}
