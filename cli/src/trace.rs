//! `photovault trace`: an item's whole way as a waterfall, from its ledger.

use clap::Args;
use photovault_domain::{Media, Needs, Stage, State, TraceId, UtcMs};
use serde::Serialize;

use crate::{
    arguments::VaultArguments,
    connection::reach,
    find::find,
    table::{Table, cost, duration, when},
};

/// Characters of the waterfall.
const WIDTH: u64 = 60;

/// Draw an item's whole way from its upload on: when each stage's turn came, how long it waited and how long it worked.
///
/// The ledger keeps the last attempt of each stage; what a stage spent on attempts before that looks like waiting.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  photovault trace 3f2a\n  photovault trace IMG_0001.jpg --json | jq .spans\n  \
    photovault trace 3f2a --link 'http://localhost:16686/trace/{}'")]
pub(crate) struct TraceArguments {
    /// An id, the beginning of one, or an upload's name.
    pub(crate) media: String,
    /// Where traces can be looked at, with `{}` for the trace's id.
    #[arg(long, value_name = "URL", env = "PHOTOVAULT_TRACE_LINK")]
    pub(crate) link: Option<String>,
    #[command(flatten)]
    pub(crate) vault: VaultArguments,
}

/// What one stage did.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Span {
    stage: Stage,
    state: State,
    attempts: u32,
    /// When its turn came, milliseconds after the upload.
    due_ms: u64,
    /// When its last attempt began; `None` if it has not.
    began_ms: Option<u64>,
    /// When that ended.
    ended_ms: Option<u64>,
    cost_microusd: f64,
}

/// `trace`.
pub(crate) async fn run(arguments: &TraceArguments) -> anyhow::Result<()> {
    let vault = reach(&arguments.vault).await?.vault;
    let media = find(&vault, &arguments.vault.user, &arguments.media).await?;
    let (start, spans) = (start(&media), spans(&media));
    let trace = TraceId::of(&media).to_string();
    let link = arguments.link.as_ref().map(|link| link.replace("{}", &trace));
    if arguments.vault.json {
        let told = serde_json::json!({ "media": media.id, "name": media.name(), "trace": trace, "link": link, "start": start, "spans": spans });
        println!("{told}");
        return Ok(());
    }
    let whole = spans.iter().filter_map(|span| span.ended_ms).max().unwrap_or(0);
    println!("{} {}, {} UTC, {} in all", media.id, media.name(), when(start), duration(whole));
    draw(&spans).print();
    println!("░ waiting  █ working\nTrace {}", link.unwrap_or(trace));
    Ok(())
}

/// When its bytes came, as far as clocks agree: nothing can have begun before.
fn start(media: &Media) -> UtcMs {
    let began = media.ledger.get(&Stage::Validate).and_then(|entry| entry.started);
    let uploaded = media.uploads.iter().map(|upload| upload.at).filter(|at| began.is_none_or(|began| *at <= began)).max();
    uploaded.or(began).unwrap_or(media.created)
}

/// Its stages in the order in which their turn came.
fn spans(media: &Media) -> Vec<Span> {
    let start = start(media);
    let span = |(stage, entry): (&Stage, &photovault_domain::Entry)| {
        let due = due(media, *stage).unwrap_or(start).since(start);
        let began = entry.finished.map(|at| UtcMs(at.0 - entry.took_ms as i64)).or(entry.started);
        Span {
            stage: *stage,
            state: entry.state,
            attempts: entry.attempts,
            // Clocks of two machines may disagree by more than the wait was.
            due_ms: began.map_or(due, |began| due.min(began.since(start))),
            began_ms: began.map(|at| at.since(start)),
            ended_ms: entry.finished.map(|at| at.since(start)),
            cost_microusd: entry.cost_microusd,
        }
    };
    let mut spans: Vec<Span> = media.ledger.iter().map(span).collect();
    spans.sort_by_key(|span| (span.due_ms, span.stage));
    spans
}

/// When a stage's needs were met.
fn due(media: &Media, stage: Stage) -> Option<UtcMs> {
    let ended = |stage: &Stage| media.ledger.get(stage)?.finished;
    match stage.spec().needs {
        Needs::Upload => None,
        // It applies to what is described only.
        _ if stage == Stage::Memories => ended(&media.described_by()),
        Needs::Done(stages) => stages.iter().filter_map(ended).max(),
        Needs::Settled => media.ended(),
    }
}

fn draw(spans: &[Span]) -> Table {
    let whole = spans.iter().filter_map(|span| span.ended_ms.or(span.began_ms)).max().unwrap_or(0).max(1);
    let column = |ms: u64| (ms * WIDTH / whole).min(WIDTH);
    let mut table = Table::new(&["stage", "state", "from", "waited", "worked", "attempts", "cost", ""]);
    for span in spans {
        let waited = span.began_ms.map(|began| began - span.due_ms);
        let worked = span.began_ms.zip(span.ended_ms).map(|(began, ended)| ended.saturating_sub(began));
        table.row(vec![
            span.stage.to_string(),
            span.state.as_str().to_owned(),
            format!("+{}", duration(span.due_ms)),
            waited.map(duration).unwrap_or_default(),
            worked.map(duration).unwrap_or_default(),
            span.attempts.to_string(),
            cost(span.cost_microusd),
            bar(span, column),
        ]);
    }
    table
}

/// What works is seen, however short it was; what has not begun waits to this day.
fn bar(span: &Span, column: impl Fn(u64) -> u64) -> String {
    let due = column(span.due_ms).min(WIDTH - 1);
    let began = span.began_ms.map_or(WIDTH, |at| column(at).clamp(due, WIDTH - 1));
    let ended = span.ended_ms.map_or(began, &column).max(began + u64::from(span.began_ms.is_some()));
    let run = |block: &str, from: u64, to: u64| block.repeat(to.saturating_sub(from) as usize);
    run(" ", 0, due) + &run("░", due, began) + &run("█", began, ended)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use photovault_domain::{Entry, Format, MediaId, Sha256, Upload};

    use super::*;

    #[test]
    fn stages_stand_behind_what_they_waited_for() {
        let user: photovault_domain::UserId = "ann".parse().unwrap();
        let id = MediaId::of_bytes(&user, &Sha256::from_digest([1; 32]));
        let mut media = Media { format: Some(Format::Jpeg), ..Media::new(user, id, UtcMs(1_000_100)) };
        let at = UtcMs(1_000_000);
        media.uploads.push(Upload { name: "a.jpg".into(), bucket: "b".into(), key: "k".into(), version: "1".into(), at });
        for (stage, began, ended) in
            [(Stage::Validate, 100, 200), (Stage::Thumbnail, 400, 1000), (Stage::Metadata, 250, 300), (Stage::Memories, 320, 330)]
        {
            let entry = Entry {
                state: State::Done,
                attempts: 1,
                started: Some(UtcMs(at.0 + began)),
                finished: Some(UtcMs(at.0 + ended)),
                took_ms: (ended - began) as u64,
                ..Entry::pending(stage.recipe())
            };
            media.ledger.insert(stage, entry);
        }
        media.ledger.insert(Stage::Notify, Entry::pending(Stage::Notify.recipe()));
        expect![[r"
            stage      state    from     waited  worked  attempts  cost
            validate   done     +0 ms    100 ms  100 ms  1         $0.0000000  ░░░░░░██████
            thumbnail  done     +200 ms  200 ms  600 ms  1         $0.0000000              ░░░░░░░░░░░░████████████████████████████████████
            metadata   done     +200 ms  50 ms   50 ms   1         $0.0000000              ░░░███
            memories   done     +300 ms  20 ms   10 ms   1         $0.0000000                    ░█
            notify     pending  +1.0 s                   0         $0.0000000                                                             ░
        "]]
        .assert_eq(&draw(&spans(&media)).render(false));
    }
}
