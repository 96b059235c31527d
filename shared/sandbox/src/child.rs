//! The decoder's side: gives up what it does not need, says what of that holds, then answers until the socket closes.

use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::fs::FileExt as _},
};

use photovault_domain::{Format, Outputs, limits::MAX_DECODE_S};
use photovault_media::{Rendered, Unreadable};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

use crate::{
    confine::confine,
    input::Received,
    wire::{Request, Wire},
};

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
    close_what_was_inherited();
    // Both while files may still be opened: the page size comes from one, and the figures are absent outside Linux.
    let page_bytes = rustix::param::page_size() as u64;
    let memory = File::open("/proc/self/statm").ok();
    let stdin = io::stdin();
    let wire = Wire { socket: stdin.as_fd(), deadline: None };
    wire.send_json(&confine(), None)?;
    loop {
        let (request, file): (Request, _) = match wire.receive_json() {
            Ok(request) => request,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let photo = Received::of(file.ok_or_else(|| io::Error::other("a request without a photo"))?)?;
        limit_cpu()?;
        let before = photovault_media::cpu_ns();
        let made = work(photo.bytes(), request.format, request.outputs);
        drop(photo);
        let is_last = memory.as_ref().is_some_and(|statm| resident_pages(statm) * page_bytes > KEPT_BYTES);
        wire.send_reply(made, photovault_media::cpu_ns() - before, is_last)?;
        if is_last {
            return Ok(());
        }
    }
}

/// Files that an ancestor left open without knowing would be open here as well.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "descriptors that nobody owns are numbers")]
fn close_what_was_inherited() {
    // SAFETY: called first of all: nothing in this process owns a descriptor beyond the three standard ones.
    unsafe { libc::close_range(3, libc::c_uint::MAX, 0) };
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

/// Allows this photo its seconds beyond what the process has used already.
fn limit_cpu() -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let limit = Rlimit { current: Some(used + MAX_DECODE_S), maximum: getrlimit(Resource::Cpu).maximum };
    Ok(setrlimit(Resource::Cpu, limit)?)
}
