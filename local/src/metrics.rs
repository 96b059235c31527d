//! `GET /metrics`: the engine in Prometheus's text format, version 0.0.4.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{clock::now_ms, gateway::Services, meter::Usage};

/// What is shown besides the health page and the meter.
#[derive(Debug, Default)]
struct More {
    /// Seconds for which the oldest message of each queue has been there.
    oldest_s: BTreeMap<String, f64>,
    /// Dead letters that the catalog keeps, by stage.
    letters: BTreeMap<String, u64>,
}

/// The page as it is now.
pub(crate) async fn page(services: &Services) -> String {
    let health = match services.health.get() {
        Some(health) => health(services.clone()).await,
        None => json!({}),
    };
    let mut more = More::default();
    for queue in health["queues"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        // A queue that cannot be read is missing from the page, and its scraper says so.
        if let Ok(oldest) = services.queues.oldest_ms(queue).await {
            let age_ms = oldest.map_or(0, |oldest| (now_ms() - oldest).max(0));
            more.oldest_s.insert(queue.clone(), age_ms as f64 / 1000.0);
        }
        let stage = queue.trim_end_matches(".fifo").strip_suffix("-dlq").and_then(|name| name.split('-').nth(1));
        if let (Some(stage), Some(table)) = (stage, health["table"].as_str())
            && let Some(count) = letters(services, table, stage).await
        {
            more.letters.insert(stage.to_owned(), count);
        }
    }
    render(&health, &services.meter.usage(), &more)
}

/// Dead letters of a stage, as many as one page of an answer counts.
async fn letters(services: &Services, table: &str, stage: &str) -> Option<u64> {
    let asked = json!({
        "TableName": table, "Select": "COUNT", "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": format!("X#{stage}") } },
    });
    let answer = services.tables.metered_call("Query", &asked.to_string()).await.0.ok()?;
    serde_json::from_str::<Value>(&answer).ok()?["Count"].as_u64()
}

fn render(health: &Value, usage: &Usage, more: &More) -> String {
    let mut page = Page(String::new());
    let queues = || health["queues"].as_object().into_iter().flatten();
    page.family("photovault_queue_messages", "gauge", "Messages of a queue.");
    for (queue, counts) in queues() {
        for state in ["visible", "in_flight", "delayed"] {
            let labels = [("queue", queue.as_str()), ("state", state)];
            page.sample("photovault_queue_messages", &labels, counts[state].as_f64());
        }
    }
    page.family("photovault_queue_oldest_seconds", "gauge", "For how long the oldest message of a queue has been there.");
    for (queue, age) in &more.oldest_s {
        page.sample("photovault_queue_oldest_seconds", &[("queue", queue)], Some(*age));
    }
    page.family("photovault_dead_letters", "gauge", "Dead letters that wait for a redrive.");
    for (stage, count) in &more.letters {
        page.sample("photovault_dead_letters", &[("stage", stage)], Some(*count as f64));
    }
    let functions = || health["functions"].as_array().into_iter().flatten();
    for (name, field, scale, kind, help) in [
        ("photovault_function_invocations_total", "invocations", 1.0, "counter", "Calls of a function."),
        ("photovault_function_errors_total", "errors", 1.0, "counter", "Calls that ended in an error."),
        ("photovault_function_deaths_total", "deaths", 1.0, "counter", "Children that died, were ended or could not start."),
        ("photovault_function_seconds_total", "took_ms", 0.001, "counter", "Seconds of all calls."),
    ] {
        page.family(name, kind, help);
        for function in functions() {
            let labels = [("function", function["name"].as_str().unwrap_or_default())];
            page.sample(name, &labels, function[field].as_f64().map(|value| value * scale));
        }
    }
    page.family("photovault_function_busy", "gauge", "Children at work.");
    for function in functions() {
        let labels = [("function", function["name"].as_str().unwrap_or_default())];
        page.sample("photovault_function_busy", &labels, function["busy"].as_array().map(|busy| busy.len() as f64));
    }
    page.family("photovault_function_messages_total", "counter", "Messages and records that a function was given.");
    for (function, used) in &usage.used {
        page.sample("photovault_function_messages_total", &[("function", function)], Some(used.messages as f64));
    }
    page.family("photovault_function_cpu_seconds_total", "counter", "Processor time of a function.");
    for (function, used) in &usage.used {
        page.sample("photovault_function_cpu_seconds_total", &[("function", function)], Some(used.cpu_ms as f64 / 1000.0));
    }
    page.0
}

/// A page that is written.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writing to a string");
    }

    /// What has no value is left out.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: Option<f64>) {
        let Some(value) = value else { return };
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")).expect("writing to a string");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_what_a_scraper_reads() {
        let health = json!({
            "queues": { "photovault-a\"b": { "visible": 3, "in_flight": 1, "delayed": 0 }, "broken": { "error": "x" } },
            "functions": [{ "name": "thumbnail", "invocations": 7, "errors": 1, "deaths": 0, "took_ms": 1500, "busy": [12, 13] }],
        });
        let more = More { oldest_s: [("q".to_owned(), 2.5)].into(), letters: [("video".to_owned(), 4)].into() };
        let page = render(&health, &Usage { since_ms: 0, used: BTreeMap::new() }, &more);
        for line in [
            r#"photovault_queue_messages{queue="photovault-a\"b",state="visible"} 3"#,
            r#"photovault_queue_oldest_seconds{queue="q"} 2.5"#,
            r#"photovault_dead_letters{stage="video"} 4"#,
            r#"photovault_function_seconds_total{function="thumbnail"} 1.5"#,
            r#"photovault_function_busy{function="thumbnail"} 2"#,
        ] {
            assert!(page.lines().any(|it| it == line), "{line} is missing:\n{page}");
        }
        assert!(!page.contains("broken"), "what has no value is left out");
        // Every sample stands behind the line that says its type.
        let mut typed = String::new();
        for line in page.lines().filter(|line| !line.starts_with("# HELP")) {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => rest.split(' ').next().unwrap().clone_into(&mut typed),
                None => assert!(line.starts_with(&format!("{typed}{{")), "{line}"),
            }
        }
    }
}
