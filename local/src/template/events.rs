//! What calls a function: its `Events`.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::properties::Properties;
use super::stack::{EventSource, OnFailure, ScheduleSource, SqsSource, StartingPosition, StreamSource};
use crate::runtime::Filter;

pub(super) fn event(id: &str, declaration: &Properties) -> Result<EventSource> {
    let properties = declaration.inner("Properties")?;
    match declaration.required("Type")?.as_str() {
        "SQS" => sqs(id, &properties).map(EventSource::Sqs),
        "DynamoDB" => stream(id, &properties).map(EventSource::Stream),
        "Schedule" => schedule(id, "Schedule", &properties).map(EventSource::Schedule),
        "ScheduleV2" => schedule(id, "ScheduleExpression", &properties).map(EventSource::Schedule),
        unknown => bail!("{}: the laptop engine does not know the event {unknown}", declaration.at("Type")),
    }
}

fn sqs(id: &str, properties: &Properties) -> Result<SqsSource> {
    let batch_size = properties.count("BatchSize", 1..=10_000, 10)?;
    let window_s = properties.count("MaximumBatchingWindowInSeconds", 0..=300, 0)?;
    ensure!(
        batch_size <= 10 || window_s >= 1,
        "{}: more than 10 needs MaximumBatchingWindowInSeconds of 1 or more",
        properties.at("BatchSize")
    );
    let concurrency = properties.inner("ScalingConfig")?.number("MaximumConcurrency", 2..=1000)?;
    Ok(SqsSource {
        id: id.into(),
        queue_arn: properties.required("Queue")?,
        batch_size,
        window_s,
        maximum_concurrency: concurrency.map(|it| it as u32),
        report_failures: reports_failures(properties)?,
        filter: filter(properties)?,
        enabled: properties.flag("Enabled", true)?,
    })
}

fn stream(id: &str, properties: &Properties) -> Result<StreamSource> {
    let position = properties.required("StartingPosition")?;
    let on_failure = properties.inner("DestinationConfig")?.inner("OnFailure")?;
    let queue_arn = on_failure.text("Destination")?;
    if let Some(arn) = &queue_arn {
        ensure!(arn.contains(":sqs:"), "{}: {arn} is not a queue", on_failure.at("Destination"));
    }
    Ok(StreamSource {
        id: id.into(),
        stream_arn: properties.required("Stream")?,
        starting_position: match position.as_str() {
            "TRIM_HORIZON" => StartingPosition::TrimHorizon,
            "LATEST" => StartingPosition::Latest,
            _ => bail!("{}: {position:?} is neither TRIM_HORIZON nor LATEST", properties.at("StartingPosition")),
        },
        batch_size: properties.count("BatchSize", 1..=10_000, 100)?,
        window_s: properties.count("MaximumBatchingWindowInSeconds", 0..=300, 0)?,
        bisect: properties.flag("BisectBatchOnFunctionError", false)?,
        maximum_retries: properties.limit("MaximumRetryAttempts", 10_000)?,
        maximum_age_s: properties.limit("MaximumRecordAgeInSeconds", 604_800)?,
        on_failure: queue_arn.map(|queue_arn| OnFailure { queue_arn }),
        report_failures: reports_failures(properties)?,
        filter: filter(properties)?,
        enabled: properties.flag("Enabled", true)?,
    })
}

fn schedule(id: &str, expression: &str, properties: &Properties) -> Result<ScheduleSource> {
    let text = properties.required(expression)?;
    let every_s = rate(&text).with_context(|| format!("{}: {text:?}", properties.at(expression)))?;
    let input = properties.text("Input")?;
    let input =
        input.map(|it| serde_json::from_str(&it).with_context(|| format!("{}: not JSON", properties.at("Input")))).transpose()?;
    let enabled = properties.flag("Enabled", true)? && properties.text("State")?.as_deref() != Some("DISABLED");
    Ok(ScheduleSource { id: id.into(), every_s, input, enabled })
}

/// Seconds of `rate(5 minutes)`.
fn rate(expression: &str) -> Result<u64> {
    let inner = expression.strip_prefix("rate(").and_then(|it| it.strip_suffix(')'));
    let (count, unit) = inner.and_then(|it| it.trim().split_once(' ')).context("the laptop engine knows rate(…) only")?;
    let count: u64 = count.parse().ok().filter(|it| *it > 0).context("the number must be 1 or more")?;
    let unit_s = match unit.trim().trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => bail!("the unit must be minutes, hours or days"),
    };
    Ok(count * unit_s)
}

fn reports_failures(properties: &Properties) -> Result<bool> {
    let types = properties.value("FunctionResponseTypes").and_then(Value::as_array).cloned().unwrap_or_default();
    for kind in &types {
        ensure!(
            kind == "ReportBatchItemFailures",
            "{}: the laptop engine does not know {kind}",
            properties.at("FunctionResponseTypes")
        );
    }
    Ok(!types.is_empty())
}

fn filter(properties: &Properties) -> Result<Filter> {
    let criteria = properties.inner("FilterCriteria")?;
    let mut patterns = Vec::new();
    for item in criteria.items("Filters")? {
        patterns.push(item.required("Pattern")?);
    }
    Filter::parse(&patterns).with_context(|| criteria.at("Filters"))
}
