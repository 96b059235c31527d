//! The function's side: a warm decoder, asked one file at a time, replaced when it ends.

use std::{
    io::{self, PipeReader, Read as _},
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt as _},
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use photovault_domain::{Format, Outputs};
use photovault_media::{Rendered, Unreadable};
use rustix::fs::OFlags;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Bounds, Input, NAME, PHOTO, Protections, RenderedHeader, ending::Ending, wire::Wire};

/// What a new decoder may take to get ready on a busy machine.
const START: Duration = Duration::from_secs(20);
/// What is read of a decoder's last words.
const MAX_LAST_WORDS_BYTES: u64 = 16 * 1024;

/// A decoder process, kept between files.
#[derive(Debug)]
pub struct Decoder {
    warm: Mutex<Option<Warm>>,
    protections: Protections,
    bounds: &'static Bounds,
    patience: Duration,
}

/// What a decoder answered.
#[derive(Debug)]
pub struct Answer<T> {
    /// What it made, or why it could not, in a sentence for the file's owner.
    pub made: Result<T, String>,
    /// What libraries said meanwhile on standard error, as far as it is kept.
    pub said: String,
}

impl Decoder {
    /// Starts one for photos, and finds out what holds in it.
    pub fn start() -> io::Result<Self> {
        Self::start_for(&PHOTO)
    }

    /// One whose program serves within these bounds.
    pub fn start_for(bounds: &'static Bounds) -> io::Result<Self> {
        let (warm, protections) = Warm::start()?;
        let patience = Duration::from_secs(bounds.seconds);
        Ok(Self { warm: Mutex::new(Some(warm)), protections, bounds, patience })
    }

    /// One for photos that is ended when a photo takes longer than this.
    pub fn with_patience(patience: Duration) -> io::Result<Self> {
        Ok(Self { patience, ..Self::start()? })
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
    /// # Errors
    /// Where no decoder can be started: the photo is not to blame.
    pub fn derive(&self, photo: &Input, format: Format, outputs: Outputs) -> io::Result<Result<Rendered, Unreadable>> {
        let answer = self.ask(&(format, outputs), photo, RenderedHeader::join)?;
        Ok(answer.made.map_err(|reason| Unreadable { reason }))
    }

    /// What its program makes of a file; `join` puts together what came of it, and checks it. Blocks; one file at a time.
    ///
    /// A decoder that ends on a file makes it unreadable, with that as the reason. One that has served others before may have
    /// been hurt by them, so the file is then tried once more in a new one.
    ///
    /// # Errors
    /// Where no decoder can be started: the file is not to blame.
    pub fn ask<Q: Serialize, A: DeserializeOwned, T>(
        &self,
        question: &Q,
        file: &Input,
        join: impl Fn(A, Vec<Vec<u8>>) -> io::Result<T>,
    ) -> io::Result<Answer<T>> {
        self.ask_about(question, &[file.seal()?], join)
    }

    /// The same about several open files.
    ///
    /// # Errors
    /// Where no decoder can be started: the files are not to blame.
    pub fn ask_about<Q: Serialize, A: DeserializeOwned, T>(
        &self,
        question: &Q,
        files: &[BorrowedFd<'_>],
        join: impl Fn(A, Vec<Vec<u8>>) -> io::Result<T>,
    ) -> io::Result<Answer<T>> {
        let mut kept = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut warm = match kept.take() {
                Some(warm) => warm,
                None => Warm::start()?.0,
            };
            match warm.ask(question, files, self, &join)? {
                Ok(answer) => {
                    if !warm.is_last {
                        *kept = Some(warm);
                    }
                    return Ok(answer);
                }
                Err((ending, said)) if warm.served == 0 || ending == Ending::TooLong => {
                    return Ok(Answer { made: Err(ending.reason(self.bounds)), said });
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
        // On Lambda the codecs lie in a layer, and only this variable says so.
        let library_path = std::env::vars_os().find(|(name, _)| name == "LD_LIBRARY_PATH");
        let child = Command::new(program)
            .arg0(NAME)
            .env_clear()
            .envs(library_path)
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

    fn ask<Q: Serialize, A: DeserializeOwned, T>(
        &mut self,
        question: &Q,
        files: &[BorrowedFd<'_>],
        decoder: &Decoder,
        join: impl Fn(A, Vec<Vec<u8>>) -> io::Result<T>,
    ) -> io::Result<Result<Answer<T>, (Ending, String)>> {
        let wire = Wire { socket: self.socket.as_fd(), deadline: Some(Instant::now() + decoder.patience) };
        let answered = wire.send_json(question, files).and_then(|()| {
            let (reply, files) = wire.receive_reply(decoder.bounds.made_bytes)?;
            let made = reply.outcome.map(|facts| join(facts, files));
            Ok((made.map_or_else(|reason| Ok(Err(reason)), |made| made.map(Ok))?, reply.cpu_ns, reply.is_last))
        });
        match answered {
            Ok((made, cpu_ns, is_last)) => {
                photovault_media::add_cpu_ns(cpu_ns);
                self.served += 1;
                self.is_last = is_last;
                // Read in any case: the pipe must not fill.
                Ok(Ok(Answer { made, said: self.last_words() }))
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                let (_, said) = self.end()?;
                Ok(Err((Ending::TooLong, said)))
            }
            Err(error) => {
                let ended_itself = matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                );
                let (status, said) = if ended_itself { (self.child.wait()?, self.last_words()) } else { self.end()? };
                let ending = if ended_itself { Ending::of(status, &said) } else { Ending::Babbled };
                Ok(Err((ending, said)))
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
