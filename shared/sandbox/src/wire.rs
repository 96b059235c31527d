//! What passes between a function and its decoder: a length in four bytes, JSON of that length, then derivatives' bytes.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
    time::Instant,
};

use photovault_domain::{DerivativeSize, Format, GainMap, Look, Outputs};
use photovault_media::{Rendered, RenderedFile, Unreadable};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, send, sendmsg,
    sockopt::{Timeout, set_socket_timeout},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// JSON of one message.
const MAX_JSON_BYTES: usize = 256 * 1024;
/// Derivatives of one photo, together: one JPEG of at most `MAX_FULL_PIXELS`, and others of at most 2048² pixels.
const MAX_DERIVATIVE_BYTES: usize = 128 * 1024 * 1024;

/// Asks for derivatives of the file that comes with it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) format: Format,
    pub(crate) outputs: Outputs,
}

/// What became of a request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    outcome: Result<Header, String>,
    /// CPU time spent on the photo.
    pub(crate) cpu_ns: u64,
    /// Whether the decoder ends now: it has grown too large to be kept.
    pub(crate) is_last: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    files: Vec<FileHeader>,
    thumbhash: Vec<u8>,
    look: Look,
    gain_map: Option<GainMap>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileHeader {
    size: String,
    webp: bool,
    width: u32,
    height: u32,
    bytes: usize,
}

/// One end of the socket. Reads end at a deadline, where there is one.
pub(crate) struct Wire<'a> {
    pub(crate) socket: BorrowedFd<'a>,
    pub(crate) deadline: Option<Instant>,
}

impl Wire<'_> {
    /// Sends one message, and a file with it.
    pub(crate) fn send_json(&self, message: &impl Serialize, file: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let json = serde_json::to_vec(message)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?.to_be_bytes();
        let bytes = [&length[..], &json].concat();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let files: Vec<BorrowedFd<'_>> = file.into_iter().collect();
        if !files.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("there is no room for a file"));
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

    /// Receives one message, and the file that came with it.
    pub(crate) fn receive_json<T: DeserializeOwned>(&self) -> io::Result<(T, Option<OwnedFd>)> {
        let mut file = None;
        let length = u32::from_be_bytes(self.receive_array(&mut file)?) as usize;
        if length > MAX_JSON_BYTES {
            return Err(io::Error::other(format!("a message of {length} bytes")));
        }
        let mut json = vec![0; length];
        self.receive_exact(&mut json, &mut file)?;
        Ok((serde_json::from_slice(&json)?, file))
    }

    fn receive_array(&self, file: &mut Option<OwnedFd>) -> io::Result<[u8; 4]> {
        let mut bytes = [0; 4];
        self.receive_exact(&mut bytes, file)?;
        Ok(bytes)
    }

    fn receive_exact(&self, mut bytes: &mut [u8], file: &mut Option<OwnedFd>) -> io::Result<()> {
        while !bytes.is_empty() {
            if let Some(deadline) = self.deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                set_socket_timeout(self.socket, Timeout::Recv, Some(left))?;
            }
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = retried(|| recvmsg(self.socket, &mut [IoSliceMut::new(bytes)], &mut ancillary, RECEIVE_FLAGS))?;
            if received.flags.contains(ReturnFlags::CTRUNC) {
                return Err(io::Error::other("the file that came along could not be opened"));
            }
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(mut files) = message {
                    *file = files.next();
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
    pub(crate) fn send_reply(&self, made: Result<Rendered, Unreadable>, cpu_ns: u64, is_last: bool) -> io::Result<()> {
        let (outcome, files) = match made {
            Ok(rendered) => {
                let headers = rendered.files.iter().map(FileHeader::of).collect();
                let Rendered { files, thumbhash, look, gain_map, warnings } = rendered;
                (Ok(Header { files: headers, thumbhash, look, gain_map, warnings }), files)
            }
            Err(unreadable) => (Err(unreadable.reason), Vec::new()),
        };
        self.send_json(&Reply { outcome, cpu_ns, is_last }, None)?;
        files.iter().try_for_each(|file| self.send_bytes(&file.bytes))
    }

    /// Receives what was made. The other end decodes foreign bytes and is not trusted: everything that it says is bounded.
    pub(crate) fn receive_reply(&self) -> io::Result<(Result<Rendered, Unreadable>, u64, bool)> {
        let (Reply { outcome, cpu_ns, is_last }, _) = self.receive_json::<Reply>()?;
        let header = match outcome {
            Ok(header) => header,
            Err(reason) => return Ok((Err(Unreadable { reason }), cpu_ns, is_last)),
        };
        let total = header.files.iter().fold(0_usize, |total, file| total.saturating_add(file.bytes));
        if total > MAX_DERIVATIVE_BYTES {
            return Err(io::Error::other(format!("derivatives of {total} bytes")));
        }
        let mut files = Vec::with_capacity(header.files.len());
        for file in &header.files {
            let size = DerivativeSize::named(&file.size).ok_or_else(|| io::Error::other("a derivative of no known size"))?;
            let mut bytes = vec![0; file.bytes];
            self.receive_exact(&mut bytes, &mut None)?;
            let mime = if file.webp { Format::Webp } else { Format::Jpeg }.mime();
            files.push(RenderedFile { name: size.name, mime, width: file.width, height: file.height, bytes });
        }
        let Header { thumbhash, look, gain_map, warnings, .. } = header;
        Ok((Ok(Rendered { files, thumbhash, look, gain_map, warnings }), cpu_ns, is_last))
    }
}

impl FileHeader {
    fn of(file: &RenderedFile) -> Self {
        let webp = file.mime == Format::Webp.mime();
        Self { size: file.name.to_owned(), webp, width: file.width, height: file.height, bytes: file.bytes.len() }
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
