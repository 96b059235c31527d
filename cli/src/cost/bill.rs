//! The bill: from counts to lines of money, for a round number of photos or minutes.

use std::collections::BTreeMap;

use photovault_domain::{Billed, Stage};
use photovault_local::meter::{CLIENTS, Used};
use serde::Serialize;

use super::duration::PerCall;

/// What Lambda itself writes about a call in its JSON log format: `platform.start`, `runtimeDone` and `report`.
const PLATFORM_LOG_BYTES: f64 = 900.0;
/// X-Ray's default rule: five of a hundred calls (and the first of each second, which a burst does not notice).
const TRACED: f64 = 0.05;

/// What was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Measured {
    pub(super) photos: u64,
    pub(super) videos: u64,
    pub(super) video_ms: u64,
    /// Originals and what was made of them.
    pub(super) kept_bytes: u64,
    /// Their rows in the catalog, as JSON.
    pub(super) row_bytes: u64,
}

/// For what the bill is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measure {
    /// 1,000 photos; the factor from what was measured.
    Photos(f64),
    /// 100 minutes of video; the factor from what was measured.
    Minutes(f64),
    /// Both were imported, or nothing: for that.
    All,
}

impl Measured {
    pub(super) fn measure(&self) -> Measure {
        match (self.photos, self.videos) {
            (1.., 0) => Measure::Photos(1000.0 / self.photos as f64),
            (0, 1..) if self.video_ms > 0 => Measure::Minutes(100.0 * 60_000.0 / self.video_ms as f64),
            _ => Measure::All,
        }
    }

    pub(super) fn words(&self) -> String {
        let minutes = self.video_ms as f64 / 60_000.0;
        format!(
            "{} photos, {} videos of {minutes:.1} minutes, {:.1} MB with what was made of them",
            self.photos,
            self.videos,
            self.kept_bytes as f64 / 1e6
        )
    }
}

impl Measure {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Photos(_) => "1,000 photos",
            Self::Minutes(_) => "100 minutes of video",
            Self::All => "all of that",
        }
    }

    pub(super) fn scaled(&self, count: f64) -> f64 {
        match self {
            Self::Photos(factor) | Self::Minutes(factor) => count * factor,
            Self::All => count,
        }
    }
}

/// One line of the bill.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) service: &'static str,
    pub(super) what: &'static str,
    pub(super) count: f64,
    pub(super) usd: f64,
    /// Paid again each month.
    pub(super) each_month: bool,
}

/// Lines by service. Of clients it counts their uploads alone: what a person looks at is no cost of taking a photo in.
pub(super) fn bill(used: &BTreeMap<String, Used>, measured: &Measured) -> Vec<Line> {
    let calls: Vec<PerCall> = used.iter().filter_map(|(name, used)| PerCall::of(name, used)).collect();
    let functions: Vec<&Used> = calls.iter().map(|call| &used[&call.function]).collect();
    let sum = |count: fn(&Used) -> f64| functions.iter().map(|used| count(used)).sum::<f64>();
    let of = |who: &str, count: fn(&Used) -> u64| used.get(who).map_or(0, count) as f64;
    let count_of_calls = sum(|used| used.invocations as f64);
    let counts = [
        (Billed::LambdaCalls, count_of_calls),
        (Billed::LambdaGbSeconds, calls.iter().map(|call| call.gb_seconds(call.memory_mb)).sum()),
        (Billed::S3Puts, sum(|used| used.s3_puts as f64) + of(CLIENTS, |used| used.s3_puts)),
        (Billed::S3Gets, sum(|used| used.s3_gets as f64)),
        (Billed::TableWrites, sum(|used| used.table_writes)),
        (Billed::TableReads, sum(|used| used.table_reads)),
        // S3 sends the messages of validate.
        (
            Billed::QueueRequests,
            sum(|used| (used.queue_requests + used.polls) as f64) + of(Stage::Validate.name(), |used| used.messages),
        ),
        (Billed::Emails, sum(|used| used.published as f64)),
        (Billed::LogGb, (sum(|used| used.logged_bytes as f64) + count_of_calls * PLATFORM_LOG_BYTES) / 1e9),
        (Billed::Traces, count_of_calls * TRACED),
        // Also those that the engine refuses, having no model: Rekognition has.
        (Billed::RecognisedImages, sum(|used| used.recognised as f64)),
        (Billed::S3GbMonths, measured.kept_bytes as f64 / 1e9),
        (Billed::TableGbMonths, measured.row_bytes as f64 / 1e9),
    ];
    let measure = measured.measure();
    let line = |(billed, count): (Billed, f64)| {
        let (price, count) = (billed.price(), measure.scaled(count));
        let each_month = matches!(billed, Billed::S3GbMonths | Billed::TableGbMonths);
        Line { service: price.service, what: price.what, count, usd: billed.microusd(count) / 1e6, each_month }
    };
    counts.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_for_a_round_number_of_one_kind() {
        let of = |photos, videos, video_ms| Measured { photos, videos, video_ms, ..Measured::default() }.measure();
        assert_eq!(of(250, 0, 0), Measure::Photos(4.0));
        assert_eq!(of(0, 3, 600_000), Measure::Minutes(10.0));
        assert_eq!(of(0, 3, 0), Measure::All);
        assert_eq!(of(1, 3, 600_000), Measure::All);
    }

    #[test]
    fn lines_are_what_was_counted_times_the_price() {
        let validate = Used {
            memory_mb: 1024,
            invocations: 100,
            messages: 500,
            s3_puts: 500,
            polls: 200,
            table_writes: 1500.0,
            recognised: 50,
            ..Used::default()
        };
        let clients = Used { s3_puts: 500, table_reads: 9e9, ..Used::default() };
        let used = BTreeMap::from([("validate".to_owned(), validate), (CLIENTS.to_owned(), clients)]);
        let lines = bill(&used, &Measured { photos: 500, kept_bytes: 2_000_000_000, ..Measured::default() });
        let told: Vec<_> = lines.iter().filter(|line| line.count > 0.0).collect();
        let told: Vec<_> = told.iter().map(|line| format!("{} {:.1} ${:.6}", line.what, line.count, line.usd)).collect();
        let want = [
            "calls 200.0 $0.000040",
            "PUT, COPY, LIST 2000.0 $0.010000",
            "write units 3000.0 $0.001875",
            "requests 1400.0 $0.000560",
            "images 100.0 $0.100000",
            "GB kept, each month 4.0 $0.092000",
        ];
        let is_exact = |text: &&String| !["GB-seconds", "GB of logs", "traces"].iter().any(|what| text.starts_with(what));
        assert_eq!(told.iter().filter(is_exact).collect::<Vec<_>>(), want);
    }
}
