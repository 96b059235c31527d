//! The decoder's side: gives up what it does not need, says what of that holds, then answers until the socket closes.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::FileExt as _,
    },
};

use photovault_domain::{Format, Outputs};
use photovault_media::{Rendered, Unreadable};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Bounds, PHOTO, RenderedHeader, confine::confine, input::Received, wire::Wire};

/// What a decoder made of a file: what describes it, and files in the order that this says.
#[derive(Debug)]
pub struct Made<A> {
    /// Sent as JSON.
    pub facts: A,
    /// Sent as they are.
    pub files: Vec<Vec<u8>>,
}

/// What a decoder makes of a photo.
pub type Work = fn(&[u8], Format, Outputs) -> Result<Rendered, Unreadable>;

/// A decoder that still holds more than this ends after its answer: allocators give memory back late or never.
const KEPT_BYTES: u64 = 192 * 1024 * 1024;

/// Serves photos until the function that started this process closes the socket or ends.
pub fn serve() -> io::Result<()> {
    serve_with(photovault_media::derive_as)
}

/// The same with other work: for tests of what happens when a codec fails.
pub fn serve_with(work: Work) -> io::Result<()> {
    serve_files(&PHOTO, |(format, outputs): (Format, Outputs), files| {
        let photo = Received::of(only(files)?)?;
        let made = work(photo.bytes(), format, outputs).map_err(|unreadable| unreadable.reason);
        Ok(made.map(RenderedHeader::split).map(|(facts, files)| Made { facts, files }))
    })
}

/// The one file of a question that has one.
pub fn only(files: Vec<OwnedFd>) -> io::Result<OwnedFd> {
    files.into_iter().next().ok_or_else(|| io::Error::other("a question without a file"))
}

/// Serves questions, each with open files, within `bounds`. `work` ends in what it made, in a sentence for the file's owner, or,
/// where the file is not to blame, in an error.
pub fn serve_files<Q: DeserializeOwned, A: Serialize>(
    bounds: &Bounds,
    work: impl Fn(Q, Vec<OwnedFd>) -> io::Result<Result<Made<A>, String>>,
) -> io::Result<()> {
    close_what_was_inherited();
    // Both while files may still be opened: the page size comes from one, and the figures are absent outside Linux.
    let page_bytes = rustix::param::page_size() as u64;
    let memory = File::open("/proc/self/statm").ok();
    let stdin = io::stdin();
    let wire = Wire { socket: stdin.as_fd(), deadline: None };
    let protections = confine(bounds);
    end_with_the_function()?;
    wire.send_json(&protections, &[])?;
    loop {
        let (question, files): (Q, _) = match wire.receive_json() {
            Ok(question) => question,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        limit_cpu(bounds)?;
        let before = photovault_media::cpu_ns();
        let made = work(question, files)?;
        let is_last = memory.as_ref().is_some_and(|statm| resident_pages(statm) * page_bytes > KEPT_BYTES);
        wire.send_reply(made, photovault_media::cpu_ns() - before, is_last)?;
        if is_last {
            return Ok(());
        }
    }
}

/// Ends this process when the function is gone, in the middle of a file too: nobody waits for what comes of it.
///
/// The kernel's own signal at a parent's death comes when the thread dies that started this process, which threads of a pool do.
/// Called behind the confinement, which a thread takes over from the one that starts it.
fn end_with_the_function() -> io::Result<()> {
    std::thread::Builder::new().name("watch".to_owned()).stack_size(64 * 1024).spawn(wait_for_the_end).map(drop)
}

#[expect(unsafe_code, reason = "poll(2) and _exit(2)")]
fn wait_for_the_end() {
    // A hang-up is told of without being asked for.
    let mut socket = libc::pollfd { fd: libc::STDIN_FILENO, events: 0, revents: 0 };
    loop {
        // SAFETY: the pointer is to one live struct.
        match unsafe { libc::poll(&raw mut socket, 1, -1) } {
            // SAFETY: it takes a number. Codecs at work must not see destructors run.
            1.. => unsafe { libc::_exit(0) },
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Files that an ancestor left open without knowing would be open here as well.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "descriptors that nobody owns are numbers")]
fn close_what_was_inherited() {
    // SAFETY: called first of all: nothing in this process owns a descriptor beyond the three standard ones.
    // By number: the function of this name came with glibc 2.34, and what is built for Lambda asks for less.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
}

#[cfg(not(target_os = "linux"))]
fn close_what_was_inherited() {}

/// The second number of proc(5)'s `statm`.
fn resident_pages(statm: &File) -> u64 {
    let mut text = [0; 128];
    let length = statm.read_at(&mut text, 0).unwrap_or(0);
    let pages = str::from_utf8(&text[..length]).ok().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0)
}

/// Allows this file its seconds beyond what the process has used already.
fn limit_cpu(bounds: &Bounds) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let limit = Rlimit { current: Some(used + bounds.cpu_seconds), maximum: getrlimit(Resource::Cpu).maximum };
    Ok(setrlimit(Resource::Cpu, limit)?)
}
