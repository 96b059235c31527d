//! What a function's children print: into one file of bounded size, and the last lines in memory.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::Write as _,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::meter::Meter;

/// A log file is renamed to `.1` when it is this large; two of them are kept.
const FILE_MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Lines that an invocation's report quotes.
const TAIL_MAX_LINES: usize = 40;
/// A longer line is cut: a child that prints without end must not fill the engine.
const LINE_MAX_BYTES: usize = 16 * 1024;

/// One function's log.
pub(super) struct Log {
    function: String,
    meter: Arc<Meter>,
    path: PathBuf,
    file: Mutex<Option<(File, u64)>>,
}

/// The last lines of one child.
#[derive(Default)]
pub(super) struct Tail(Mutex<VecDeque<String>>);

impl Log {
    pub(super) fn new(folder: &Path, function: &str, meter: Arc<Meter>) -> Self {
        Self { function: function.to_owned(), meter, path: folder.join(format!("{function}.log")), file: Mutex::default() }
    }

    /// Starts to read a child's output; gives the end to write to and its tail.
    pub(super) fn attach(self: &Arc<Self>) -> anyhow::Result<(OwnedFd, Arc<Tail>)> {
        let (reader, writer) = std::io::pipe().context("a pipe for a function's output")?;
        let reader = OwnedFd::from(reader);
        let reader = tokio::net::unix::pipe::Receiver::from_owned_fd(reader).context("a pipe for a function's output")?;
        let (log, tail) = (Arc::clone(self), Arc::new(Tail::default()));
        let quoted = Arc::clone(&tail);
        tokio::spawn(async move {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            loop {
                line.clear();
                let mut limited = tokio::io::AsyncReadExt::take(&mut reader, LINE_MAX_BYTES as u64);
                match limited.read_until(b'\n', &mut line).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
                log.meter.note(&log.function, |used| used.logged_bytes += line.len() as u64);
                log.write(&line);
                quoted.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
        Ok((OwnedFd::from(writer), tail))
    }

    fn write(&self, line: &[u8]) {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|(_, size)| *size > FILE_MAX_BYTES) {
            *slot = None;
            if let Err(error) = std::fs::rename(&self.path, self.path.with_extension("log.1")) {
                tracing::warn!(file = %self.path.display(), %error, "the log file of a function could not be renamed");
            }
        }
        if slot.is_none() {
            let opened = OpenOptions::new().create(true).append(true).open(&self.path);
            *slot = opened.and_then(|file| file.metadata().map(|it| (file, it.len()))).ok();
        }
        if let Some((file, size)) = slot.as_mut() {
            *size += line.len() as u64;
            if let Err(error) = file.write_all(line) {
                tracing::warn!(file = %self.path.display(), %error, "the output of a function could not be written");
            }
        }
    }
}

impl Tail {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}
