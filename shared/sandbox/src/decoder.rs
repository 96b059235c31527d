//! The function's side: a warm decoder, asked one photo at a time, replaced when it ends.

use std::{
    io::{self, PipeReader, Read as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use photovault_domain::{Format, Outputs, limits::MAX_DECODE_S};
use photovault_media::{Rendered, Unreadable};
use rustix::fs::OFlags;

use crate::{
    Input, NAME, Protections,
    ending::Ending,
    wire::{Request, Wire},
};

/// What a new decoder may take to get ready on a busy machine.
const START: Duration = Duration::from_secs(20);
/// What is read of a decoder's last words.
const MAX_LAST_WORDS_BYTES: u64 = 16 * 1024;

/// A decoder process, kept between photos.
#[derive(Debug)]
pub struct Decoder {
    warm: Mutex<Option<Warm>>,
    protections: Protections,
    patience: Duration,
}

impl Decoder {
    /// Starts one, and finds out what holds in it.
    pub fn start() -> io::Result<Self> {
        Self::with_patience(Duration::from_secs(MAX_DECODE_S))
    }

    /// One that is ended when a photo takes longer than this.
    pub fn with_patience(patience: Duration) -> io::Result<Self> {
        let (warm, protections) = Warm::start()?;
        Ok(Self { warm: Mutex::new(Some(warm)), protections, patience })
    }

    /// What holds in it.
    pub fn protections(&self) -> &Protections {
        &self.protections
    }

    /// The decoder's process, while there is one.
    pub fn process(&self) -> Option<u32> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|warm| warm.child.id())
    }

    /// Derivatives of a still. Blocks; one photo at a time.
    ///
    /// A decoder that ends on a photo makes it unreadable, with that as the reason. One that has served others before may have
    /// been hurt by them, so the photo is then tried once more in a new one.
    ///
    /// # Errors
    /// Where no decoder can be started: the photo is not to blame.
    pub fn derive(&self, photo: &Input, format: Format, outputs: Outputs) -> io::Result<Result<Rendered, Unreadable>> {
        let mut kept = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut warm = match kept.take() {
                Some(warm) => warm,
                None => Warm::start()?.0,
            };
            match warm.ask(photo, Request { format, outputs }, self.patience)? {
                Ok(answer) => {
                    if !warm.is_last {
                        *kept = Some(warm);
                    }
                    return Ok(answer);
                }
                Err(ending) if warm.served == 0 || ending == Ending::TooLong => {
                    return Ok(Err(Unreadable { reason: ending.reason() }));
                }
                Err(_) => {}
            }
        }
    }
}

/// A running decoder.
#[derive(Debug)]
struct Warm {
    child: Child,
    socket: OwnedFd,
    errors: PipeReader,
    served: u64,
    is_last: bool,
}

impl Warm {
    fn start() -> io::Result<(Self, Protections)> {
        // Neither end is inherited: the decoder sees the end of the socket when this process ends.
        let (ours, theirs) = UnixStream::pair()?;
        let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
        let (errors, complaints) = io::pipe()?;
        // A library that complains a lot must not wait for somebody to read it: what does not fit is lost.
        rustix::fs::fcntl_setfl(&errors, OFlags::NONBLOCK)?;
        rustix::fs::fcntl_setfl(&complaints, OFlags::NONBLOCK)?;
        let child = Command::new(program)
            .arg0(NAME)
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::from(complaints))
            .spawn()?;
        let mut warm = Self { child, socket: ours.into(), errors, served: 0, is_last: false };
        let wire = Wire { socket: warm.socket.as_fd(), deadline: Some(Instant::now() + START) };
        match wire.receive_json() {
            Ok((protections, _)) => Ok((warm, protections)),
            Err(error) => {
                let (_, said) = warm.end()?;
                Err(io::Error::other(format!("the decoder did not start: {error} {said}")))
            }
        }
    }

    fn ask(
        &mut self,
        photo: &Input,
        request: Request,
        patience: Duration,
    ) -> io::Result<Result<Result<Rendered, Unreadable>, Ending>> {
        let file = photo.seal()?;
        let deadline = Instant::now() + patience;
        let wire = Wire { socket: self.socket.as_fd(), deadline: Some(deadline) };
        let answered = wire.send_json(&request, Some(file)).and_then(|()| wire.receive_reply());
        match answered {
            Ok((made, cpu_ns, is_last)) => {
                photovault_media::add_cpu_ns(cpu_ns);
                self.served += 1;
                self.is_last = is_last;
                // Nobody reads what libraries say of photos that they could decode; the pipe must not fill.
                let _ = self.last_words();
                Ok(Ok(made))
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.end()?;
                Ok(Err(Ending::TooLong))
            }
            Err(error) => {
                let ended_itself = matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                );
                let (status, said) = if ended_itself { (self.child.wait()?, self.last_words()) } else { self.end()? };
                Ok(Err(if ended_itself { Ending::of(status, &said) } else { Ending::Babbled }))
            }
        }
    }

    /// Kills it, if it lives, and gives its last words.
    fn end(&mut self) -> io::Result<(ExitStatus, String)> {
        let _ = self.child.kill();
        Ok((self.child.wait()?, self.last_words()))
    }

    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        // Ends with "would block" where there is no more.
        let _ = self.errors.by_ref().take(MAX_LAST_WORDS_BYTES).read_to_end(&mut words);
        String::from_utf8_lossy(&words).into_owned()
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
