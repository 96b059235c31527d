//! What passes between a function and its decoder: a length in four bytes, JSON of that length, then the bytes of what was made.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
    time::Instant,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, send, sendmsg,
    sockopt::{Timeout, set_socket_timeout},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Made;

/// JSON of one message.
const MAX_JSON_BYTES: usize = 256 * 1024;
/// Files of one answer.
const MAX_FILES: usize = 16;
/// Open files that one message carries.
const MAX_OPEN_FILES: usize = 3;

/// What became of a request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply<A> {
    pub(crate) outcome: Result<A, String>,
    /// Bytes of each file that follows.
    files: Vec<usize>,
    /// CPU time spent on the file.
    pub(crate) cpu_ns: u64,
    /// Whether the decoder ends now: it has grown too large to be kept.
    pub(crate) is_last: bool,
}

/// One end of the socket. Reads end at a deadline, where there is one.
pub(crate) struct Wire<'a> {
    pub(crate) socket: BorrowedFd<'a>,
    pub(crate) deadline: Option<Instant>,
}

impl Wire<'_> {
    /// Sends one message, and open files with it.
    pub(crate) fn send_json(&self, message: &impl Serialize, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let json = serde_json::to_vec(message)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?.to_be_bytes();
        let bytes = [&length[..], &json].concat();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_OPEN_FILES))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !files.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(files)) {
            return Err(io::Error::other("there is no room for so many files"));
        }
        let sent = retried(|| sendmsg(self.socket, &[IoSlice::new(&bytes)], &mut ancillary, NO_SIGNAL))?;
        self.send_bytes(&bytes[sent..])
    }

    fn send_bytes(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = retried(|| send(self.socket, bytes, NO_SIGNAL))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    /// Receives one message, and the open files that came with it.
    pub(crate) fn receive_json<T: DeserializeOwned>(&self) -> io::Result<(T, Vec<OwnedFd>)> {
        let mut files = Vec::new();
        let length = u32::from_be_bytes(self.receive_array(&mut files)?) as usize;
        if length > MAX_JSON_BYTES {
            return Err(io::Error::other(format!("a message of {length} bytes")));
        }
        let mut json = vec![0; length];
        self.receive_exact(&mut json, &mut files)?;
        Ok((serde_json::from_slice(&json)?, files))
    }

    fn receive_array(&self, files: &mut Vec<OwnedFd>) -> io::Result<[u8; 4]> {
        let mut bytes = [0; 4];
        self.receive_exact(&mut bytes, files)?;
        Ok(bytes)
    }

    fn receive_exact(&self, mut bytes: &mut [u8], files: &mut Vec<OwnedFd>) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some(deadline) = self.deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                set_socket_timeout(self.socket, Timeout::Recv, Some(left))?;
            }
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_OPEN_FILES))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = retried(|| recvmsg(self.socket, &mut [IoSliceMut::new(bytes)], &mut ancillary, RECEIVE_FLAGS))?;
            if received.flags.contains(ReturnFlags::CTRUNC) {
                return Err(io::Error::other("a file that came along could not be opened"));
            }
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(came) = message {
                    files.extend(came);
                }
            }
            if received.bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[received.bytes..];
        }
        Ok(())
    }

    /// Sends what was made.
    pub(crate) fn send_reply<A: Serialize>(&self, made: Result<Made<A>, String>, cpu_ns: u64, is_last: bool) -> io::Result<()> {
        let (outcome, files) = match made {
            Ok(Made { facts, files }) => (Ok(facts), files),
            Err(reason) => (Err(reason), Vec::new()),
        };
        let reply = Reply { outcome, files: files.iter().map(Vec::len).collect(), cpu_ns, is_last };
        self.send_json(&reply, &[])?;
        files.iter().try_for_each(|file| self.send_bytes(file))
    }

    /// Receives what was made, `most_bytes` of it at most. The other end decodes foreign bytes and is not trusted: everything
    /// that it says is bounded.
    pub(crate) fn receive_reply<A: DeserializeOwned>(&self, most_bytes: usize) -> io::Result<(Reply<A>, Vec<Vec<u8>>)> {
        let (reply, _) = self.receive_json::<Reply<A>>()?;
        let total = reply.files.iter().fold(0_usize, |total, bytes| total.saturating_add(*bytes));
        if total > most_bytes || reply.files.len() > MAX_FILES {
            return Err(io::Error::other(format!("{} files of {total} bytes", reply.files.len())));
        }
        let mut files = Vec::with_capacity(reply.files.len());
        for length in &reply.files {
            let mut bytes = vec![0; *length];
            self.receive_exact(&mut bytes, &mut Vec::new())?;
            files.push(bytes);
        }
        Ok((reply, files))
    }
}

/// A decoder that is gone is an error, not a signal.
#[cfg(target_os = "linux")]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: SendFlags = SendFlags::empty();
#[cfg(target_os = "linux")]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::empty();

fn retried<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
            other => return Ok(other?),
        }
    }
}
