//! `photovault cost`: what the engine has done since its start would have cost on AWS.

mod bill;
mod duration;

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::Context as _;
use photovault_domain::{Media, PRICES_READ, Stage, UtcMs};
use photovault_local::meter::Usage;
use serde_json::json;

use self::{
    bill::{Line, Measure, Measured, bill},
    duration::{MEMORIES_MB, PerCall},
};
use crate::{arguments::VaultArguments, connection::reach, find::all, table::Table};

/// What the engine's answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// `cost`.
pub(crate) async fn run(arguments: &VaultArguments) -> anyhow::Result<()> {
    let reached = reach(arguments).await?;
    let engine = reached.engine.context("only an engine counts what it does: AWS itself has a bill")?;
    let usage = usage(&engine.endpoint).with_context(|| format!("what {} has used", engine.endpoint))?;
    let since = UtcMs(usage.since_ms);
    let items = all(&reached.vault, &arguments.user, |media| media.created >= since).await?;
    let measured = measured(&items);
    let lines = bill(&usage.used, &measured);
    let calls: Vec<_> = usage.used.iter().filter_map(|(name, used)| PerCall::of(name, used)).collect();
    if arguments.json {
        println!(
            "{}",
            json!({ "prices_read": PRICES_READ, "measured": measured, "for": measured.measure().words(), "lines": lines, "functions": calls })
        );
        return Ok(());
    }
    println!("Measured: {}. What follows is for {}.\n", measured.words(), measured.measure().words());
    print_lines(&lines);
    println!("\nTime and Lambda's price for each memory size, in US dollars; * is the template's.");
    print_memories(&calls, &measured.measure());
    println!("\nPrices of us-east-1, read on {PRICES_READ}.");
    Ok(())
}

/// What an item of a stage cost, with the two changes of the item that are dispatched and counted, as the engine at `endpoint` counted
/// since its start; `None` where it has not had any.
pub(crate) fn usd_per_item(endpoint: &str, stage: Stage) -> Option<f64> {
    let used = usage(endpoint).ok()?.used;
    let each = |name: &str| {
        let one = used.get(name).filter(|used| used.messages > 0)?;
        let lines = bill(&BTreeMap::from([(name.to_owned(), one.clone())]), &Measured::default());
        Some(lines.iter().map(|line| line.usd).sum::<f64>() / one.messages as f64)
    };
    let per_change = ["dispatch", "analytics"].into_iter().filter_map(each).sum::<f64>();
    each(stage.name()).map(|usd| usd + 2.0 * per_change)
}

/// The engine's page of what was used.
fn usage(endpoint: &str) -> anyhow::Result<Usage> {
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /_photovault/used HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").context("it gave no answer")?;
    serde_json::from_str(body).context("its answer is of another version")
}

fn measured(items: &[Media]) -> Measured {
    let mut measured = Measured::default();
    for media in items {
        let video = media.video.as_deref();
        if media.ledger.contains_key(&Stage::Thumbnail) {
            measured.photos += 1;
        } else {
            measured.videos += 1;
            measured.video_ms += video.map_or(0, |video| video.duration_ms);
        }
        let files = media.derivatives.iter().flat_map(|derivatives| &derivatives.files);
        let files = files.chain(video.iter().flat_map(|video| &video.files));
        measured.kept_bytes += media.size_bytes + files.map(|file| file.size_bytes).sum::<u64>();
        measured.row_bytes += serde_json::to_string(media).expect("an item is plain data").len() as u64;
    }
    measured
}

fn print_lines(lines: &[Line]) {
    let mut table = Table::new(&["service", "what", "count", "US dollars"]);
    let mut once = 0.0;
    for line in lines {
        table.row(vec![line.service.to_owned(), line.what.to_owned(), count(line.count), dollars(line.usd)]);
        once += if line.each_month { 0.0 } else { line.usd };
    }
    table.row(vec!["all".to_owned(), "once, without what is kept".to_owned(), String::new(), dollars(once)]);
    table.print();
}

fn print_memories(functions: &[PerCall], measure: &Measure) {
    let header = ["function", "calls", "CPU ms", "waiting ms", "peak MB"].map(str::to_owned);
    let header: Vec<String> = header.into_iter().chain(MEMORIES_MB.map(|mb| format!("{mb} MB"))).collect();
    let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for call in functions {
        let mut cells = vec![
            call.function.clone(),
            count(measure.scaled(call.calls)),
            format!("{:.0}", call.cpu_ms),
            format!("{:.0}", call.wait_ms),
            call.peak_mb.to_string(),
        ];
        cells.extend(MEMORIES_MB.map(|memory_mb| {
            let chosen = if memory_mb == call.memory_mb { "*" } else { "" };
            if u64::from(memory_mb) < call.peak_mb {
                return format!("–{chosen}");
            }
            format!("{:.0} ms {}{chosen}", call.duration_ms(memory_mb), dollars(measure.scaled(call.usd(memory_mb))))
        }));
        table.row(cells);
    }
    table.print();
}

fn count(count: f64) -> String {
    if count < 100.0 { format!("{count:.2}") } else { format!("{count:.0}") }
}

fn dollars(usd: f64) -> String {
    format!("{usd:.5}")
}
