//! `photovault import`: files go up several at a time while those before them are waited for.
//!
//! Resumable without a state of its own: what the vault has, by hash, is not sent again. The engine may be killed and
//! started again meanwhile.

mod link;
mod report;
mod upload;
mod wait;
mod walk;

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use tokio::{sync::mpsc::unbounded_channel, time::Instant};

use crate::{arguments::ImportArguments, connection::data_option};
use link::Link;
use report::{Outcome, Progress, summary, summary_json};
use wait::Waiter;

/// `import`. Success if every file reached an end.
pub(crate) async fn run(arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    let json = arguments.vault.json;
    let files = walk::walk(&arguments.paths)?;
    let patience = Duration::from_secs(arguments.timeout);
    let link = Link::open(&arguments.vault, patience).await?;
    let began = Instant::now();
    let progress = Progress::new(files.len(), files.iter().map(|found| found.size_bytes).sum(), json);
    let (sender, receiver) = unbounded_channel();
    let user = &arguments.vault.user;
    let waiter = Waiter { link: &link, user, files: &files, patience, wait: !arguments.no_wait, progress: &progress };
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(files.len());
    let parallel = usize::try_from(arguments.parallel)?;
    let work = async {
        let record = |outcome: Outcome| {
            if json {
                println!("{}", serde_json::to_string(&outcome).expect("an outcome is plain data"));
            }
            outcomes.push(outcome);
        };
        tokio::join!(upload::upload_all(&link, user, &files, parallel, sender, &progress), waiter.run(receiver, record));
    };
    tokio::select! { () = work => {}, () = progress.speak() => {} }
    progress.finish();
    let took_ms = u64::try_from(began.elapsed().as_millis())?;
    if json {
        println!("{}", summary_json(&outcomes, took_ms));
    } else {
        print!("{}", summary(&outcomes, took_ms, std::io::stdout().is_terminal()));
        say_what_next(arguments, &outcomes);
    }
    Ok(if outcomes.iter().all(|outcome| outcome.ended) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_what_next(arguments: &ImportArguments, outcomes: &[Outcome]) {
    let data = data_option(&arguments.vault.data);
    match outcomes.iter().find(|outcome| outcome.status == "ready") {
        Some(Outcome { media: Some(id), .. }) => {
            println!("Look: photovault ls{data} · photovault show {id}{data} · photovault get {id} -o photo.jpg{data}");
        }
        _ => println!("Look: photovault ls{data} · photovault failures{data}"),
    }
}
