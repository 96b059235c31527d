//! What a decoder gives up before it sees a photo, and whether that holds: each promise is tried, not only asked for.

use std::{
    fmt,
    process::{Command, Stdio},
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::Bounds;

/// File descriptors: three standard ones, the memory figures, the files of a question (three at most, and one of them twice), and
/// what opening one takes for a moment.
const MAX_FILES: u64 = 10;

/// What holds in a decoder.
#[expect(clippy::struct_excessive_bools, reason = "each holds or does not, whatever the others do")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protections {
    /// Limits of memory, open files, file size and core dumps are set.
    pub limits: bool,
    /// No program that it starts can have more rights (`no_new_privs`).
    pub no_new_privileges: bool,
    /// System calls are filtered (seccomp).
    pub seccomp: bool,
    /// The file system and the network are closed (Landlock); kernels before 5.13 and Lambda's do not have it.
    pub landlock: bool,
    /// Tried: it cannot open a file.
    pub opens_no_files: bool,
    /// Tried: it cannot make a socket.
    pub makes_no_sockets: bool,
    /// Tried: it cannot start a program.
    pub starts_no_programs: bool,
}

impl fmt::Display for Protections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.limits, "limits"),
            (self.no_new_privileges, "no new privileges"),
            (self.seccomp, "seccomp"),
            (self.landlock, "Landlock"),
            (self.opens_no_files, "no files"),
            (self.makes_no_sockets, "no sockets"),
            (self.starts_no_programs, "no programs"),
        ];
        let named = |wanted: bool| {
            let names: Vec<_> = all.iter().filter(|(holds, _)| *holds == wanted).map(|(_, name)| *name).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        write!(f, "holds: {}; not here: {}", named(true), named(false))
    }
}

/// Gives up everything that this system lets a process give up.
pub(crate) fn confine(bounds: &Bounds) -> Protections {
    let mut protections = Protections { limits: set_limits(bounds), ..Protections::default() };
    #[cfg(target_os = "linux")]
    {
        protections.no_new_privileges = rustix::thread::set_no_new_privs(true).is_ok();
        protections.landlock = close_the_file_system();
        protections.seccomp = crate::syscalls::filter().is_ok();
    }
    protections.opens_no_files = std::fs::File::open("/").is_err() && std::fs::File::open("/etc/passwd").is_err();
    protections.makes_no_sockets = std::net::UdpSocket::bind("127.0.0.1:0").is_err();
    protections.starts_no_programs = starts_no_programs();
    protections
}

/// `RLIMIT_NPROC` is not among them: it counts the threads of all processes of a user, and two codecs start threads.
fn set_limits(bounds: &Bounds) -> bool {
    let limit = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    let mut all = vec![(Resource::Core, 0), (Resource::Fsize, bounds.written_bytes), (Resource::Nofile, MAX_FILES)];
    if cfg!(target_os = "linux") {
        all.push((Resource::As, bounds.memory_bytes));
    }
    all.into_iter().fold(true, |held, (resource, most)| setrlimit(resource, limit(most)).is_ok() && held)
}

#[cfg(target_os = "linux")]
fn close_the_file_system() -> bool {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus};
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    restricted.is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

fn starts_no_programs() -> bool {
    let started = Command::new("/bin/true").stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit()).spawn();
    started.map(|mut child| child.wait()).is_err()
}
