//! What an import says while it runs and when it is over.

use std::{collections::BTreeMap, io::IsTerminal as _, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use photovault_domain::MediaId;
use serde::Serialize;
use serde_json::{Value, json};

use crate::table::{Table, bytes, duration};

/// How one file ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) path: String,
    pub(crate) media: Option<MediaId>,
    /// `ready`, `rejected`, `quarantined` or `failed`; `processing` where nobody waited for the end.
    pub(crate) status: &'static str,
    pub(crate) reason: Option<String>,
    /// Whether its bytes were sent: not if the vault had them.
    pub(crate) sent: bool,
    pub(crate) size_bytes: u64,
    /// Whether this is an end that the vault has recorded.
    #[serde(skip)]
    pub(crate) ended: bool,
}

/// One bar for the uploads and one for the processing; a line now and then where there is no terminal.
pub(crate) struct Progress {
    uploads: ProgressBar,
    ends: ProgressBar,
    speaks: bool,
}

impl Progress {
    /// Bars for so many files and bytes.
    pub(crate) fn new(files: usize, size_bytes: u64, json: bool) -> Self {
        let (uploads, ends) = (ProgressBar::new(size_bytes), ProgressBar::new(files as u64));
        let is_terminal = std::io::stderr().is_terminal();
        let bars =
            if json { MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden()) } else { MultiProgress::new() };
        let style = |template: &str| ProgressStyle::with_template(template).expect("the template is ours");
        uploads.set_style(style("uploading   {bar:36} {bytes}/{total_bytes} {bytes_per_sec}"));
        ends.set_style(style("processing  {bar:36} {pos}/{len} {per_sec}, {eta} left"));
        Self { uploads: bars.add(uploads), ends: bars.add(ends), speaks: !json && !is_terminal }
    }

    /// So many bytes more are with the vault.
    pub(crate) fn sent(&self, size_bytes: u64) {
        self.uploads.inc(size_bytes);
    }

    /// One file more has ended.
    pub(crate) fn ended(&self) {
        self.ends.inc(1);
    }

    /// Says where things stand, now and then, until dropped; bars say it themselves.
    pub(crate) async fn speak(&self) {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            if self.speaks {
                let (sent, all) = (bytes(self.uploads.position()), bytes(self.uploads.length().unwrap_or(0)));
                eprintln!(
                    "{sent} of {all} uploaded, {} of {} files ended",
                    self.ends.position(),
                    self.ends.length().unwrap_or(0)
                );
            }
        }
    }

    /// Takes the bars away.
    pub(crate) fn finish(&self) {
        self.uploads.finish_and_clear();
        self.ends.finish_and_clear();
    }
}

/// The last object of `--json`.
pub(crate) fn summary_json(outcomes: &[Outcome], took_ms: u64) -> Value {
    let sent = || outcomes.iter().filter(|outcome| outcome.sent);
    json!({"summary": {
        "files": outcomes.len(),
        "outcomes": counts(outcomes),
        "sent": sent().count(),
        "sent_bytes": sent().map(|outcome| outcome.size_bytes).sum::<u64>(),
        "took_ms": took_ms,
    }})
}

/// The end of an import in words: what is not ready, file by file, then the counts.
pub(crate) fn summary(outcomes: &[Outcome], took_ms: u64, coloured: bool) -> String {
    let mut troubled: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.reason.is_some()).collect();
    troubled.sort_by(|a, b| (a.status, &a.path).cmp(&(b.status, &b.path)));
    let mut table = Table::new(&["status", "file", "why"]);
    for outcome in &troubled {
        let why = outcome.reason.clone().unwrap_or_default();
        table.row(vec![outcome.status.to_owned(), outcome.path.clone(), why]);
    }
    let counted: Vec<String> = counts(outcomes).iter().map(|(status, count)| format!("{count} {status}")).collect();
    let sent: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.sent).collect();
    let sent_bytes = bytes(sent.iter().map(|outcome| outcome.size_bytes).sum());
    let known = outcomes.iter().filter(|outcome| !outcome.sent && outcome.media.is_some()).count();
    let listing = if troubled.is_empty() { String::new() } else { table.render(coloured) + "\n" };
    let speed = outcomes.len() as f64 * 1000.0 / took_ms.max(1) as f64;
    format!(
        "{listing}{} files in {} ({speed:.1} a second): {}.\n{} sent ({sent_bytes}), {known} were there already.\n",
        outcomes.len(),
        duration(took_ms),
        counted.join(", "),
        sent.len()
    )
}

fn counts(outcomes: &[Outcome]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome.status).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> Vec<Outcome> {
        let of = |path: &str, status, reason: Option<&str>, sent| Outcome {
            path: path.into(),
            media: Some("0123456789abcdef0123456789abcdef".parse().unwrap()),
            status,
            reason: reason.map(Into::into),
            sent,
            size_bytes: 1_000_000,
            ended: true,
        };
        vec![
            of("a.jpg", "ready", None, true),
            of("b.jpg", "ready", None, false),
            of("notes.txt", "rejected", Some("This is a text, not a photo."), true),
        ]
    }

    #[test]
    fn a_summary_names_what_is_not_ready_and_counts_the_rest() {
        assert_eq!(
            summary(&outcomes(), 2_000, false),
            "status    file       why\nrejected  notes.txt  This is a text, not a photo.\n\n\
             3 files in 2.0 s (1.5 a second): 2 ready, 1 rejected.\n2 sent (2.0 MB), 1 were there already.\n"
        );
    }

    #[test]
    fn a_machine_reads_the_same() {
        let line = serde_json::to_string(&outcomes()[2]).unwrap();
        assert_eq!(
            line,
            r#"{"path":"notes.txt","media":"0123456789abcdef0123456789abcdef","status":"rejected","#.to_owned()
                + r#""reason":"This is a text, not a photo.","sent":true,"size_bytes":1000000}"#
        );
        assert_eq!(
            summary_json(&outcomes(), 2_000),
            json!({"summary": {"files": 3, "outcomes": {"ready": 2, "rejected": 1}, "sent": 2, "sent_bytes": 2_000_000, "took_ms": 2000}})
        );
    }
}
