//! ClamAV's daemon: an upload is sent to it chunk by chunk while it passes (clamd(8), `INSTREAM`).

use std::{io, time::Duration};

use photovault_domain::{Scan, Scanner};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

/// What the scanner is called in a receipt.
const NAME: &str = "clamd";
/// For a connection, and for each chunk to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the verdict, once everything is sent.
const VERDICT: Duration = Duration::from_mins(1);
/// Bytes of an answer.
const MAX_ANSWER_BYTES: u64 = 4096;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One upload's scan.
pub(crate) struct Session {
    state: Result<Box<dyn Stream>, String>,
    sent_bytes: u64,
    max_bytes: u64,
}

impl Session {
    /// Begins a scan; `None` if this is no clamd.
    ///
    /// clamd passes what is larger than its own `MaxFileSize` as clean unless `AlertExceedsMax` is set, and does not tell its
    /// settings: what is larger than `max_bytes` is therefore never called clean, whatever clamd says.
    pub(crate) async fn begin(scanner: &Scanner, max_bytes: u64) -> Option<Self> {
        let connected = match scanner {
            Scanner::ClamdUnix(path) => {
                patiently(UnixStream::connect(path)).await.map(|stream| Box::new(stream) as Box<dyn Stream>)
            }
            Scanner::ClamdTcp(address) => {
                patiently(TcpStream::connect(address)).await.map(|stream| Box::new(stream) as Box<dyn Stream>)
            }
            Scanner::None | Scanner::GuardDuty => return None,
        };
        let state = connected.map_err(|error| format!("the virus scanner cannot be reached: {error}"));
        let mut session = Self { state, sent_bytes: 0, max_bytes };
        session.send(b"zINSTREAM\0").await;
        Some(session)
    }

    /// Sends what passes.
    pub(crate) async fn pass(&mut self, chunk: &[u8]) {
        self.sent_bytes += chunk.len() as u64;
        if self.sent_bytes > self.max_bytes {
            self.state = Err(format!("larger than the {} bytes that the virus scanner takes", self.max_bytes));
        }
        let Ok(length) = u32::try_from(chunk.len()) else { return };
        if length > 0 {
            self.send(&length.to_be_bytes()).await;
            self.send(chunk).await;
        }
    }

    /// Asks for the verdict.
    pub(crate) async fn finish(mut self) -> Scan {
        self.send(&0_u32.to_be_bytes()).await;
        let answered = match self.state {
            Ok(mut stream) => answer(&mut stream).await,
            Err(why) => return Scan::Unfinished { by: NAME.to_owned(), why },
        };
        answered.map_or_else(|error| unfinished(format!("the virus scanner gave no answer: {error}")), |answer| verdict(&answer))
    }

    async fn send(&mut self, bytes: &[u8]) {
        let Ok(stream) = &mut self.state else { return };
        if let Err(error) = patiently(stream.write_all(bytes)).await {
            // It says why before it closes: too large, most often.
            let said = answer(stream).await.unwrap_or_default();
            let why = if said.is_empty() { error.to_string() } else { said };
            self.state = Err(format!("the virus scanner broke off: {why}"));
        }
    }
}

async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn answer(stream: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut limited = stream.take(MAX_ANSWER_BYTES);
    timeout(VERDICT, limited.read_to_end(&mut answer)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\0', '\n']).to_owned())
}

/// Reads `stream: OK`, `stream: NAME FOUND` or an error. Nothing but the first is clean.
fn verdict(answer: &str) -> Scan {
    let said = answer.strip_prefix("stream: ").unwrap_or(answer);
    if said == "OK" {
        return Scan::Clean { by: NAME.to_owned() };
    }
    match said.strip_suffix(" FOUND") {
        // With AlertExceedsMax clamd says so of what it did not look at.
        Some(limit) if limit.starts_with("Heuristics.Limits.Exceeded") => {
            unfinished(format!("past a limit of the virus scanner ({limit})"))
        }
        Some(name) => Scan::Infected { by: NAME.to_owned(), name: name.to_owned() },
        None if said.is_empty() => unfinished("the virus scanner gave no answer".to_owned()),
        None => unfinished(format!("the virus scanner said: {said}")),
    }
}

fn unfinished(why: String) -> Scan {
    Scan::Unfinished { by: NAME.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_clean() {
        let clean = |answer: &str| matches!(verdict(answer), Scan::Clean { .. });
        assert!(clean("stream: OK"));
        for answer in
            ["", "OK?", "stream: ", "INSTREAM size limit exceeded. ERROR", "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"]
        {
            assert!(matches!(verdict(answer), Scan::Unfinished { .. }), "{answer}");
        }
        let found = Scan::Infected { by: NAME.to_owned(), name: "PV.Test.Eicar.Body.UNOFFICIAL".to_owned() };
        assert_eq!(verdict("stream: PV.Test.Eicar.Body.UNOFFICIAL FOUND"), found);
    }
}
