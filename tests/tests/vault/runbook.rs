//! Alarms and the runbook: each alarm has a paragraph, each paragraph an alarm, and every dead-letter queue is watched.

use std::collections::BTreeSet;

use photovault_tests::{
    project,
    template::{Template, list, text},
};

#[test]
fn every_alarm_has_its_paragraph_and_every_paragraph_its_alarm() {
    let template = Template::load();
    let alarms = ["AWS::CloudWatch::Alarm", "AWS::Budgets::Budget"].map(|kind| template.resources(kind));
    let alarms: BTreeSet<_> = alarms.iter().flatten().map(|alarm| alarm.name.to_owned()).collect();
    let runbook = project::read("docs/runbook.md");
    let sections: Vec<_> = runbook.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect();
    assert_eq!(sections.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), alarms);
    assert_eq!(sections.len(), alarms.len(), "one paragraph each");
    for (name, paragraph) in sections {
        assert!(paragraph.trim().len() >= 50 || name == "LateDeadLettersAlarm", "{name}: says what to do");
    }
}

#[test]
fn every_queue_of_dead_letters_is_watched_by_an_alarm_that_cloudwatch_takes() {
    let template = Template::load();
    let mut watched = BTreeSet::new();
    for alarm in template.resources("AWS::CloudWatch::Alarm") {
        let metrics = list(&alarm.properties["Metrics"]);
        let queues = metrics.iter().map(|metric| &metric["MetricStat"]["Metric"]["Dimensions"]).filter(|it| !it.is_null());
        watched.extend(queues.map(|dimensions| text(&dimensions[0]["Value"])));
        assert!(metrics.len() <= 11, "{}: ten metrics and the expression over them", alarm.name);
    }
    for queue in template.resources("AWS::SQS::Queue").iter().filter(|queue| queue.name.ends_with("DeadLetters")) {
        assert!(watched.contains(&format!("{}.QueueName", queue.name)), "{} is watched by no alarm", queue.name);
    }
}

#[test]
fn the_errors_of_every_function_are_watched_and_of_no_other() {
    let template = Template::load();
    let mut watched = BTreeSet::new();
    for alarm in template.resources("AWS::CloudWatch::Alarm") {
        for metric in list(&alarm.properties["Metrics"]).iter().map(|it| &it["MetricStat"]["Metric"]) {
            if metric["Namespace"].as_str() != Some("AWS/Lambda") {
                continue;
            }
            let dimensions = list(&metric["Dimensions"]);
            assert_eq!(dimensions.len(), 1, "{}: without a function it is the whole account's", alarm.name);
            if metric["MetricName"].as_str() == Some("Errors") {
                watched.insert(text(&dimensions[0]["Value"]));
            }
        }
    }
    let functions = template.resources("AWS::Serverless::Function");
    assert_eq!(watched, functions.iter().map(|function| function.name.to_owned()).collect());
}
