//! The numbers that the simulation runs by are those of `template.yaml`.

use photovault_lambda::BEGIN_WITHIN;
use photovault_simulation::{HEALTH, QUEUES, QueueSettings, STREAM};
use photovault_tests::template::{Template, entries, number, text};

/// `thumbnail` → `Thumbnail`, `video-slow-dlq` → `VideoSlow`.
fn logical(name: &str) -> String {
    let words = name.trim_end_matches("-dlq").split('-');
    words.flat_map(|word| [word[..1].to_uppercase(), word[1..].to_owned()]).collect()
}

#[test]
fn queues_are_as_in_the_template() {
    let template = Template::load();
    for settings in QUEUES {
        let QueueSettings { name, function, .. } = settings;
        let kind = if name.ends_with("-dlq") { "DeadLetters" } else { "Queue" };
        let resource = format!("{}{kind}", logical(name));
        let queue = template.resource(&resource).properties;
        // The simulation knows no FIFO queue: its own keep no order, which is harder.
        let queue_name = text(&queue["QueueName"]);
        assert_eq!(queue_name.strip_suffix(".fifo").unwrap_or(&queue_name), format!("${{AWS::StackName}}-{name}"));
        assert_eq!(u64::from(settings.visibility_s), number(&queue["VisibilityTimeout"]), "{name}");
        let receives = queue["RedrivePolicy"]["maxReceiveCount"].as_u64();
        assert_eq!(settings.max_receives.map(u64::from), receives, "{name}");

        if function == "worker" {
            // It asks the queue itself.
            continue;
        }
        let function = template.resource(&format!("{}Function", logical(function))).properties;
        assert_eq!(u64::from(settings.timeout_s), number(&function["Timeout"]), "{name}");
        let mut mappings = entries(&function["Events"]).map(|(_, event)| &event["Properties"]);
        let mapping = mappings.find(|it| text(&it["Queue"]) == format!("{resource}.Arn")).expect("a mapping of the queue");
        assert_eq!(settings.batch as u64, number(&mapping["BatchSize"]), "{name}");
        let window = mapping["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
        assert_eq!(u64::from(settings.window_s), window, "{name}");
        assert_eq!(settings.concurrency as u64, number(&mapping["ScalingConfig"]["MaximumConcurrency"]), "{name}");
        let begun = BEGIN_WITHIN.as_secs();
        assert!(u64::from(settings.timeout_s) > begun, "{name}: what is begun after {begun} s has no time to end");
    }
}

#[test]
fn health_runs_as_in_the_template() {
    let template = Template::load();
    let function = template.resource("HealthFunction").properties;
    assert_eq!(u64::from(HEALTH.timeout_s), number(&function["Timeout"]));
    assert!(u64::from(HEALTH.timeout_s) >= photovault_health::BEGIN_WITHIN.as_secs() + 20, "a page has no time to end");
    let schedules: Vec<String> = entries(&function["Events"]).map(|(_, event)| text(&event["Properties"]["Schedule"])).collect();
    assert_eq!(schedules, [format!("rate({} minutes)", HEALTH.every_s / 60)]);
}

#[test]
fn the_stream_is_as_in_the_template() {
    let function = Template::load();
    let dispatch = function.resource("DispatchFunction").properties;
    let stream = &dispatch["Events"]["Catalog"]["Properties"];
    assert_eq!(STREAM.batch as u64, number(&stream["BatchSize"]));
    assert_eq!(u64::from(STREAM.retries), number(&stream["MaximumRetryAttempts"]));
    assert_eq!(u64::from(STREAM.timeout_s), number(&dispatch["Timeout"]));
}
