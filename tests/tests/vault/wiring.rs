//! `template.yaml` against the pipeline table, in both directions, and what each function may do as a file to read in a diff.

use std::fmt::Write as _;

use expect_test::expect_file;
use photovault_domain::{Needs, STAGES, Stage};
use photovault_tests::template::{Resource, Template, entries, list, number, text};
use serde_yaml_ng::Value;

/// Functions that are no stage: the stream's reader, the keeper of dead letters and the one that looks after the rest.
const EXTRA_FUNCTIONS: &[&str] = &[
    "DispatchFunction",
    "AnalyticsFunction",
    "FailuresFunction",
    "HealthFunction",
    "CleanupFunction",
    "BackupFunction",
    "VerifyFunction",
    "MemoriesDailyFunction",
];
/// Queues that belong to no stage.
const EXTRA_QUEUES: &[&str] =
    &["DispatchDeadLetters", "AnalyticsDeadLetters", "VideoSlowQueue", "VideoSlowDeadLetters", "VideoStartQueue"];
/// What else stands in the template.
const EXTRAS: &[&str] = &[
    "Logs",
    "MediaLayer",
    "FailuresAlarm",
    "EarlyDeadLettersAlarm",
    "LateDeadLettersAlarm",
    "OldestMessageAlarm",
    "StuckWorkerAlarm",
    "ThrottlesAlarm",
    "EarlyErrorRateAlarm",
    "LateErrorRateAlarm",
    "ScheduledErrorsAlarm",
    "CostAlarm",
    "Dashboard",
    "UploadsBucket",
    "UploadsBucketPolicy",
    "ValidateQueuePolicy",
    "ScanResults",
    "NotifyTopic",
    "NotifySubscription",
    "VaultBucket",
    "VaultBucketPolicy",
    "BackupBucket",
    "BackupBucketPolicy",
    "BackupTrouble",
    "BackupTroubleAlarm",
    "Catalog",
    "VideoStart",
    "VideoStartRole",
    "VideoWorkerQueue",
    "VideoWorkerCapacity",
    "VideoWorker",
    "VideoWorkerRole",
    "VideoWorkerExecutionRole",
    "WorkerNetwork",
    "WorkerSubnet",
    "WorkerGateway",
    "WorkerGatewayAttachment",
    "WorkerRoutes",
    "WorkerRouteOut",
    "WorkerSubnetRoutes",
    "WorkerSecurityGroup",
    "OverTime",
    "OverTimeAlarm",
    "AlarmTopic",
    "AlarmSubscription",
];

const MAX_RECEIVE_COUNT: u64 = 5;
const DAY_S: u64 = 86_400;

#[test]
fn every_stage_has_its_function_queue_and_dead_letters() {
    let template = Template::load();
    for stage in STAGES.iter().map(|spec| spec.stage) {
        let function = template.resource(&logical(stage, "Function"));
        assert_eq!(text(&function.properties["FunctionName"]), format!("${{AWS::StackName}}-{stage}"));
        assert_eq!(text(&function.properties["CodeUri"]), format!("functions/{stage}"));
        assert_eq!(text(&function.whole["Metadata"]["BuildMethod"]), "makefile");

        let queue = template.resource(&logical(stage, "Queue")).properties;
        let suffix = if stage.spec().in_order { ".fifo" } else { "" };
        assert_eq!(text(&queue["QueueName"]), format!("${{AWS::StackName}}-{stage}{suffix}"));
        assert_eq!(text(&queue["RedrivePolicy"]["deadLetterTargetArn"]), logical(stage, "DeadLetters.Arn"));
        assert_eq!(number(&queue["RedrivePolicy"]["maxReceiveCount"]), MAX_RECEIVE_COUNT, "{stage}");
        assert_eq!(number(&queue["MessageRetentionPeriod"]), 4 * DAY_S, "{stage}");

        let dead_letters = template.resource(&logical(stage, "DeadLetters")).properties;
        assert_eq!(text(&dead_letters["QueueName"]), format!("${{AWS::StackName}}-{stage}-dlq{suffix}"));
        for queue in [queue, dead_letters] {
            let flags = ["FifoQueue", "ContentBasedDeduplication"].map(|flag| queue[flag].as_bool().unwrap_or(false));
            assert_eq!(flags, [stage.spec().in_order; 2], "{stage}");
        }
        assert_eq!(
            number(&dead_letters["MessageRetentionPeriod"]),
            14 * DAY_S,
            "{stage}: a dead letter keeps its first timestamp"
        );
        assert!(feeds(&template, &logical(stage, "Queue.Arn"), function), "{stage} has no mapping from its queue");
    }
}

#[test]
fn nothing_stands_in_the_template_that_is_no_stage_or_known_extra() {
    let template = Template::load();
    let of_stages = STAGES.iter().flat_map(|spec| ["Function", "Queue", "DeadLetters"].map(|part| logical(spec.stage, part)));
    let extras = [EXTRA_FUNCTIONS, EXTRA_QUEUES, EXTRAS].concat().into_iter().map(str::to_owned);
    let mut known: Vec<String> = of_stages.chain(extras).collect();
    let mut there: Vec<String> = template.all().map(|resource| resource.name.to_owned()).collect();
    known.sort();
    there.sort();
    assert_eq!(there, known);
}

#[test]
fn no_message_comes_back_while_its_batch_is_worked_on() {
    let template = Template::load();
    for function in functions(&template) {
        let timeout_s = number(&function.properties["Timeout"]);
        for (_, event) in queue_events(function) {
            let queue = template.resource(text(&event["Queue"]).trim_end_matches(".Arn"));
            let visibility_s = number(&queue.properties["VisibilityTimeout"]);
            assert!(visibility_s >= 6 * timeout_s, "{}: {visibility_s} s < 6 x {timeout_s} s of {}", queue.name, function.name);
        }
    }
}

#[test]
fn one_bad_message_fails_alone() {
    let template = Template::load();
    for function in functions(&template) {
        let batches = |event: &Value| event["Type"].as_str() != Some("Schedule");
        for (name, event) in entries(&function.properties["Events"]).filter(|(_, event)| batches(event)) {
            let responses: Vec<String> = list(&event["Properties"]["FunctionResponseTypes"]).into_iter().map(text).collect();
            assert_eq!(responses, ["ReportBatchItemFailures"], "{} {name}", function.name);
        }
        for (name, event) in queue_events(function) {
            assert!(event["ScalingConfig"]["MaximumConcurrency"].is_u64(), "{} {name}: no concurrency limit", function.name);
        }
    }
}

#[test]
fn dispatch_knows_the_queue_of_every_stage_that_it_starts() {
    let template = Template::load();
    let dispatch = template.resource("DispatchFunction");
    let started: Vec<Stage> = STAGES.iter().filter(|spec| spec.needs != Needs::Upload).map(|spec| spec.stage).collect();
    let want = |suffix: &'static str| started.iter().map(move |stage| logical(*stage, suffix));

    let variables = entries(&dispatch.properties["Environment"]["Variables"]);
    let variables: Vec<_> = variables.map(|(name, value)| (name.to_owned(), text(value))).collect();
    let named = started.iter().map(|stage| format!("QUEUE_{}", stage.name().to_uppercase()));
    let slow = ["QUEUE_VIDEO_SLOW", "QUEUE_VIDEO_START"].map(str::to_owned).into_iter().zip(slow_queues(""));
    let queues: Vec<_> = variables.iter().filter(|(name, _)| name.starts_with("QUEUE_")).cloned().collect();
    assert_eq!(queues, named.zip(want("Queue")).chain(slow).collect::<Vec<_>>());

    let may_send: Vec<_> =
        grants(dispatch).into_iter().filter(|(action, _)| action == "sqs:SendMessage").map(|it| it.1).collect();
    assert_eq!(may_send, want("Queue.Arn").chain(slow_queues(".Arn")).collect::<Vec<_>>());
}

/// The worker's queue, and the one that starts it.
fn slow_queues(suffix: &str) -> [String; 2] {
    ["VideoSlowQueue", "VideoStartQueue"].map(|name| format!("{name}{suffix}"))
}

#[test]
fn dispatch_gives_up_on_a_record_and_tells() {
    let template = Template::load();
    let stream = &template.resource("DispatchFunction").properties["Events"]["Catalog"]["Properties"];
    assert_eq!(stream["BisectBatchOnFunctionError"].as_bool(), Some(true));
    assert!(
        (1..=10).contains(&number(&stream["MaximumRetryAttempts"])),
        "the default of -1 lets one record block a shard for a day"
    );
    assert!(number(&stream["MaximumRecordAgeInSeconds"]) < DAY_S, "a stream forgets after 24 hours");
    assert_eq!(text(&stream["DestinationConfig"]["OnFailure"]["Destination"]), "DispatchDeadLetters.Arn");
}

#[test]
fn a_mailing_s_message_comes_when_whoever_was_to_write_it_is_past_its_time_out() {
    let timeout_s = number(&Template::load().resource("NotifyFunction").properties["Timeout"]);
    let announced_before_s = u64::from(photovault_vault::ANNOUNCED_BEFORE_S);
    assert!((timeout_s..=timeout_s + 60).contains(&announced_before_s), "{announced_before_s} s for a function of {timeout_s} s");
}

#[test]
fn every_alarm_tells_somebody() {
    let template = Template::load();
    let alarms = template.resources("AWS::CloudWatch::Alarm");
    assert!(!alarms.is_empty());
    for alarm in alarms {
        let told = text(&alarm.properties["AlarmActions"][0]);
        assert!(told.starts_with("AlarmTopic if HasNotifyEmail"), "{}: {told}", alarm.name);
    }
}

#[test]
fn only_clean_up_may_remove_originals_and_nobody_their_versions() {
    let template = Template::load();
    let mut removers = Vec::new();
    let of_functions = functions(&template).into_iter().map(|function| (function.name, grants(function)));
    let roles = ["VideoWorkerRole", "VideoStartRole"].map(|name| template.resource(name));
    let of_roles = roles.into_iter().map(|role| (role.name, granted(role.name, list(&role.properties["Policies"]))));
    for (name, grants) in of_functions.chain(of_roles) {
        for (action, resource) in
            grants.into_iter().filter(|(action, resource)| action.starts_with("s3:Delete") && resource.contains("-vault-"))
        {
            let prefix = resource.split_once("AccountId}/").map_or("", |(_, prefix)| prefix);
            assert!(!prefix.is_empty() && prefix != "*", "{name} may remove {resource}");
            if prefix.starts_with("originals") || prefix.starts_with("quarantine") {
                assert_eq!(action, "s3:DeleteObject", "{name} may remove versions of {prefix}");
                removers.push((name, prefix.to_owned()));
            }
        }
    }
    assert_eq!(removers, [("CleanupFunction", "originals/*".to_owned()), ("CleanupFunction", "quarantine/*".to_owned())]);
    let vault = template.resource("VaultBucket").properties;
    assert_eq!(text(&vault["VersioningConfiguration"]["Status"]), "Enabled", "a removed original can be brought back");
    let lifecycle = list(&vault["LifecycleConfiguration"]["Rules"]);
    let originals = lifecycle.into_iter().find(|rule| rule["Prefix"].as_str() == Some("originals/")).expect("a rule");
    assert!(number(&originals["NoncurrentVersionExpiration"]["NoncurrentDays"]) >= 30, "and for a month");
}

#[test]
fn clean_up_and_verify_may_not_take_lines_out_of_the_log() {
    let template = Template::load();
    for (name, want) in
        [("CleanupFunction", &["U#*", "X#*", "ORPHANS"][..]), ("VerifyFunction", &["DRILL"]), ("BackupFunction", &[])]
    {
        let policies = list(&template.resource(name).properties["Policies"]);
        let statements = policies.into_iter().flat_map(|policy| list(&policy["Statement"]));
        let removes = |it: &&Value| list(&it["Action"]).into_iter().any(|action| text(action) == "dynamodb:DeleteItem");
        let keys =
            statements.filter(removes).flat_map(|it| list(&it["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]));
        assert_eq!(keys.map(text).collect::<Vec<_>>(), want, "{name}: the log is AUDIT");
    }
}

#[test]
fn who_walks_has_time_for_the_page_that_it_begins() {
    let template = Template::load();
    for (name, begin_within) in [
        ("CleanupFunction", photovault_cleanup::BEGIN_WITHIN),
        ("BackupFunction", photovault_backup::BEGIN_WITHIN),
        ("VerifyFunction", photovault_verify::BEGIN_WITHIN),
        ("MemoriesDailyFunction", photovault_memories_daily::BEGIN_WITHIN),
    ] {
        let timeout_s = number(&template.resource(name).properties["Timeout"]);
        assert!(timeout_s >= begin_within.as_secs() + 20, "{name}: {timeout_s} s");
    }
}

#[test]
fn health_comes_after_every_visibility() {
    let template = Template::load();
    let stage_queues = template.resources("AWS::SQS::Queue").into_iter().filter(|queue| !queue.name.ends_with("DeadLetters"));
    for queue in stage_queues {
        let visibility_s = number(&queue.properties["VisibilityTimeout"]);
        let patience = if queue.name == "VideoQueue" { photovault_health::VIDEO_PATIENCE } else { 1 };
        assert!(
            visibility_s < u64::from(photovault_health::STALLED_S) * patience,
            "{}: what is worked on would be sent twice",
            queue.name
        );
    }
}

#[test]
fn failures_hears_of_every_dead_letter() {
    let template = Template::load();
    let mut heard: Vec<_> = queue_events(template.resource("FailuresFunction")).map(|(_, event)| text(&event["Queue"])).collect();
    let queues = template.resources("AWS::SQS::Queue").into_iter().map(|queue| queue.name);
    let mut dead: Vec<_> = queues.filter(|name| name.ends_with("DeadLetters")).map(|name| format!("{name}.Arn")).collect();
    heard.sort();
    dead.sort();
    assert_eq!(heard, dead);
}

#[test]
fn what_each_function_may_do_is_written_down() {
    let template = Template::load();
    let mut wiring = String::from(
        "What starts each function, what it is told and what it may do. Made from template.yaml by the test `wiring`;\n\
         after a change that you mean: UPDATE_EXPECT=1 cargo test --release -p photovault-tests wiring\n\
         SAM adds to each role: receive from its own queues or stream, write its log, send traces.\n\
         Names are without the stack's name before and the account's number behind.\n",
    );
    for function in functions(&template) {
        describe(function, &mut wiring).expect("a String takes all");
    }
    for role in ["VideoWorkerRole", "VideoStartRole"].map(|name| template.resource(name)) {
        writeln!(wiring, "\n{}", role.name).expect("a String takes all");
        for (action, resource) in granted(role.name, list(&role.properties["Policies"])) {
            writeln!(wiring, "  may   {action:<27} {}", short(&resource)).expect("a String takes all");
        }
    }
    expect_file!["../../../wiring.txt"].assert_eq(&wiring);
}

fn describe(function: Resource, out: &mut String) -> std::fmt::Result {
    let own = function.properties;
    writeln!(out, "\n{}  {} s, {} MB", text(&own["CodeUri"]), number(&own["Timeout"]), number(&own["MemorySize"]))?;
    for (_, event) in entries(&own["Events"]) {
        let it = &event["Properties"];
        if event["Type"].as_str() == Some("Schedule") {
            writeln!(out, "  from  the clock, {}", text(&it["Schedule"]))?;
            continue;
        }
        let source = if it["Queue"].is_null() { &it["Stream"] } else { &it["Queue"] };
        write!(out, "  from  {}, {} at once", text(source), number(&it["BatchSize"]))?;
        if let Some(window_s) = it["MaximumBatchingWindowInSeconds"].as_u64().filter(|window_s| *window_s > 0) {
            write!(out, " within {window_s} s")?;
        }
        if let Some(concurrency) = it["ScalingConfig"]["MaximumConcurrency"].as_u64() {
            write!(out, ", {concurrency} times in parallel")?;
        }
        writeln!(out)?;
        for filter in list(&it["FilterCriteria"]["Filters"]) {
            writeln!(out, "        only {}", text(&filter["Pattern"]))?;
        }
    }
    for (name, value) in entries(&own["Environment"]["Variables"]) {
        writeln!(out, "  env   {name} = {}", short(&text(value)))?;
    }
    for (action, resource) in grants(function) {
        writeln!(out, "  may   {action:<27} {}", short(&resource))?;
    }
    Ok(())
}

/// Without what stands in every name alike.
fn short(name: &str) -> String {
    let mut short = name.to_owned();
    for everywhere in ["arn:${AWS::Partition}:", "${AWS::Region}:${AWS::AccountId}:", "${AWS::StackName}-", "-${AWS::AccountId}"]
    {
        short = short.replace(everywhere, "");
    }
    short
}

/// Each action with each resource that its role allows.
fn grants(function: Resource) -> Vec<(String, String)> {
    granted(function.name, list(&function.properties["Policies"]))
}

/// The same of policies, one by one; those of a role that SAM does not make have their statements one level deeper.
fn granted(name: &str, policies: Vec<&Value>) -> Vec<(String, String)> {
    let statements = policies.into_iter().flat_map(|policy| {
        let document = &policy["PolicyDocument"];
        list(if document.is_null() { &policy["Statement"] } else { &document["Statement"] })
    });
    let mut grants = Vec::new();
    for statement in statements {
        assert_eq!(text(&statement["Effect"]), "Allow", "{name}");
        for action in list(&statement["Action"]) {
            for resource in list(&statement["Resource"]) {
                grants.push((text(action), text(resource)));
            }
        }
    }
    // Looking at a picture has no resource that a policy could name.
    let is_named = |action: &str, resource: &str| resource != "*" || action.starts_with("rekognition:Detect");
    let named = |(action, resource): &(String, String)| !action.contains('*') && is_named(action, resource);
    assert!(grants.iter().all(named), "{name}: name what it may do");
    grants
}

fn functions(template: &Template) -> Vec<Resource<'_>> {
    template.resources("AWS::Serverless::Function")
}

fn queue_events(function: Resource<'_>) -> impl Iterator<Item = (&str, &Value)> {
    entries(&function.properties["Events"])
        .filter(|(_, event)| event["Type"].as_str() == Some("SQS"))
        .map(|(name, event)| (name, &event["Properties"]))
}

fn feeds(template: &Template, queue: &str, function: Resource) -> bool {
    let feeding = |of: Resource| queue_events(of).any(|(_, event)| text(&event["Queue"]) == queue);
    feeding(function) && functions(template).into_iter().filter(|other| feeding(*other)).count() == 1
}

/// `Validate` + `Queue`, as in the template.
fn logical(stage: Stage, part: &str) -> String {
    let name = stage.name();
    format!("{}{}{part}", name[..1].to_uppercase(), &name[1..])
}
