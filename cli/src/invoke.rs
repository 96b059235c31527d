//! `photovault invoke`: one function, one event, in a child of this process against the running engine.

use std::{io::Read as _, path::Path};

use anyhow::{Context as _, bail};
use photovault_local::{Options, auth::Credentials, engine::invoke_beside};
use serde_json::{Value, json};

use crate::{
    arguments::InvokeArguments,
    connection::{answers, engine_file, not_running},
    up::TEMPLATE,
};

/// `invoke`. Some functions touch no service; without an engine they answer, and the others say what they missed.
pub(crate) async fn run(arguments: &InvokeArguments) -> anyhow::Result<()> {
    let event = event(&arguments.event)?;
    let data = &arguments.vault.data;
    let engine = engine_file(data)?.filter(|engine| answers(&engine.endpoint));
    if engine.is_none() {
        eprintln!("{}; the function runs without it.", not_running(data));
    }
    let mut options = Options::new(data, TEMPLATE)?;
    // What the engine made at random and gives its own functions.
    options.parameters.extend(engine.iter().map(|engine| ("BackupKey".to_owned(), engine.backup_key.clone())));
    let (endpoint, access_key, secret_key) = match engine {
        Some(engine) => (engine.endpoint, engine.access_key, engine.secret_key),
        // Nothing listens on port 9 (discard): a call ends at once with a reason.
        None => ("http://127.0.0.1:9".to_owned(), "none".to_owned(), "none".to_owned()),
    };
    let credentials = Credentials { access_key, secret_key };
    let logs = std::env::temp_dir().join(format!("photovault-invoke-{}", std::process::id()));
    let result = invoke_beside(&options, &endpoint, &credentials, &logs, &arguments.function, event).await;
    // The lines that matter are in the result.
    let _ = std::fs::remove_dir_all(&logs);
    let result = result?;
    if !arguments.vault.json {
        eprint!("{}", result.log_tail);
    }
    match result.outcome {
        Ok(answer) => {
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_else(|_| json!(String::from_utf8_lossy(&answer)));
            let whole = json!({"answer": answer, "duration_ms": result.duration_ms, "init_ms": result.init_ms});
            println!("{}", if arguments.vault.json { whole.to_string() } else { format!("{answer:#}") });
            Ok(())
        }
        Err(error) => {
            if arguments.vault.json {
                println!("{}", json!({"error": error.message, "type": error.kind, "died": error.died, "log": result.log_tail}));
            }
            bail!("{} failed after {} ms: {error}", arguments.function, result.duration_ms)
        }
    }
}

fn event(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("cannot read the event {}", path.display()))?;
    }
    let _: Value = serde_json::from_str(&text).with_context(|| format!("the event {} is not JSON", path.display()))?;
    Ok(text)
}
