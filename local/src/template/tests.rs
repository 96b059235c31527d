//! Tests of the reader: each intrinsic, each event, and what is unknown is named.

use serde_json::json;

use super::{EventSource, Place, Stack, StartingPosition, read};

fn place() -> Place {
    Place::local("http://127.0.0.1:4455")
}

/// What an expression in the value of an environment variable resolves to.
fn value(expression: &str) -> Result<String, String> {
    let text = format!(
        r#"
Parameters:
  Level: {{ Type: String, Default: info, AllowedValues: [info, debug] }}
  Names: {{ Type: CommaDelimitedList, Default: "a, b" }}
Mappings:
  Sizes: {{ us-east-1: {{ small: 7 }} }}
Conditions:
  IsInfo: !Equals [!Ref Level, info]
  IsDebug: !Not [!Condition IsInfo]
  Both: !And [!Condition IsInfo, !Condition IsDebug]
  Either: !Or [!Condition IsInfo, !Condition IsDebug]
  Circle: !Not [!Condition Circle]
Resources:
  Jobs: {{ Type: AWS::SQS::Queue, Properties: {{ QueueName: !Sub "${{AWS::StackName}}-jobs" }} }}
  Files: {{ Type: AWS::S3::Bucket }}
  Digests: {{ Type: AWS::SNS::Topic }}
  Items: {{ Type: AWS::DynamoDB::Table, Properties: {{ TableName: photovault-items, StreamSpecification: {{ StreamViewType: KEYS_ONLY }} }} }}
  Key: {{ Type: AWS::KMS::Key }}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/work
      Environment:
        Variables:
          VALUE: {expression}
"#
    );
    match read(&text, &place()) {
        Ok(stack) => Ok(stack.functions[0].environment.get("VALUE").cloned().unwrap_or("(no value)".into())),
        Err(error) => Err(format!("{error:#}")),
    }
}

#[test]
fn intrinsics_resolve() {
    for (expression, expected) in [
        ("plain", "plain"),
        ("12", "12"),
        ("true", "true"),
        ("!Ref Level", "info"),
        ("!Ref AWS::StackName", "photovault"),
        ("!Ref AWS::AccountId", "000000000000"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::Partition", "aws"),
        ("!Ref AWS::NoValue", "(no value)"),
        ("!Ref Jobs", "http://127.0.0.1:4455/000000000000/photovault-jobs"),
        ("!Ref Files", "photovault-files"),
        ("!Ref Items", "photovault-items"),
        ("!Ref Digests", "arn:aws:sns:us-east-1:000000000000:photovault-Digests"),
        ("!Ref Work", "photovault-Work"),
        ("!Ref WorkRole", "photovault-WorkRole"),
        ("{ Ref: Level }", "info"),
        ("!GetAtt Jobs.Arn", "arn:aws:sqs:us-east-1:000000000000:photovault-jobs"),
        ("!GetAtt Jobs.QueueName", "photovault-jobs"),
        ("!GetAtt [Files, Arn]", "arn:aws:s3:::photovault-files"),
        ("!GetAtt Items.Arn", "arn:aws:dynamodb:us-east-1:000000000000:table/photovault-items"),
        ("{ 'Fn::GetAtt': [Jobs, Arn] }", "arn:aws:sqs:us-east-1:000000000000:photovault-jobs"),
        ("!Sub 'x-${Level}-${Jobs.QueueName}-${!Literal}'", "x-info-photovault-jobs-${Literal}"),
        ("!Sub ['${own}/${Level}', { own: !Ref AWS::Region }]", "us-east-1/info"),
        ("!Join ['-', [a, !Ref Level, 3]]", "a-info-3"),
        ("!Join ['+', !Ref Names]", "a+b"),
        ("!Select [1, !Ref Names]", "b"),
        ("!Select [0, !Split ['/', 'x/y']]", "x"),
        ("!FindInMap [Sizes, !Ref AWS::Region, small]", "7"),
        ("!If [IsInfo, yes it is, no]", "yes it is"),
        ("!If [IsDebug, !Ref Nothing, lazily]", "lazily"),
        ("!If [Both, both, not both]", "not both"),
        ("!If [Either, either, neither]", "either"),
        ("!If [IsDebug, x, !Ref AWS::NoValue]", "(no value)"),
    ] {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_is_unknown_is_named_with_its_place() {
    for (expression, named) in [
        ("!Cidr [a, b]", "Fn::Cidr"),
        ("!ImportValue x", "Fn::ImportValue"),
        ("!Ref Nothing", "no resource Nothing"),
        ("!GetAtt Nothing.Arn", "no resource Nothing"),
        ("!GetAtt Jobs.Colour", "the attribute Colour of Jobs"),
        ("!GetAtt Jobs", "Resource.Attribute"),
        ("!Sub '${Nothing}'", "no resource Nothing"),
        ("!Sub '${open'", "is not closed"),
        ("!If [Nothing, a, b]", "no condition Nothing"),
        ("!If [IsInfo, a]", "a list of 3"),
        ("!If [Circle, a, b]", "refers to itself"),
        ("!Select [9, !Ref Names]", "no item 9"),
        ("!FindInMap [Sizes, eu, small]", "Sizes.eu.small"),
    ] {
        let error = value(expression).expect_err(expression);
        assert!(error.contains(named), "{expression}: {error}");
        let placed =
            error.contains("Resources.Work.Properties.Environment.Variables.VALUE") || error.contains("Conditions.Circle");
        assert!(placed, "{expression}: {error}");
    }
}

#[test]
fn wrong_values_are_refused() {
    for (text, named) in [
        ("Resources: { X: { Type: AWS::RDS::DBInstance } }", "AWS::RDS::DBInstance"),
        ("Resources: { X: {} }", "has no Type"),
        ("Resources: { Q: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 50000 } } }", "VisibilityTimeout"),
        ("Resources: { Q: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: soon } } }", "soon"),
        (
            "Resources: { Q: { Type: AWS::SQS::Queue, Properties: { RedrivePolicy: { deadLetterTargetArn: x } } } }",
            "maxReceiveCount",
        ),
        (
            "Resources: { Q: { Type: AWS::SQS::Queue, Properties: { RedrivePolicy: { deadLetterTargetArn: x, maxReceiveCount: 2 } } } }",
            "is not a queue of this template",
        ),
        ("Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: . } } }", "functions/<name>"),
        (
            "Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: functions/../x } } }",
            "no name of a function",
        ),
        ("Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: functions/f, Timeout: 901 } } }", "901"),
        (
            "Resources: { F: { Type: AWS::Serverless::Function, Properties: { CodeUri: functions/f, Events: { E: { Type: Kinesis } } } } }",
            "Kinesis",
        ),
        ("Parameters: { P: { Type: String } }\nResources: {}", "Parameters.P"),
        ("Resources: [", "not YAML"),
    ] {
        let error = format!("{:#}", read(text, &place()).expect_err(text));
        assert!(error.contains(named), "{text}: {error}");
    }
    let unknown = Place { parameters: [("Nothing".into(), "x".into())].into(), ..place() };
    assert!(read("Resources: {}", &unknown).unwrap_err().to_string().contains("Nothing"));
}

fn project() -> Stack {
    read(include_str!("../../../template.yaml"), &place()).unwrap()
}

#[test]
fn the_projects_template_is_read_whole() {
    let stack = project();
    let names: Vec<_> = stack.functions.iter().map(|it| it.name.as_str()).collect();
    for name in ["validate", "dispatch", "thumbnail", "metadata", "notify", "failures"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let validate = stack.function("validate").unwrap();
    assert_eq!(validate.environment["UPLOADS_BUCKET"], "photovault-uploads-000000000000");
    let EventSource::Sqs(source) = &validate.events[0] else { panic!("{:?}", validate.events) };
    assert!(source.report_failures);
    let queue = stack.queue_by_arn(&source.queue_arn).unwrap();
    assert!(queue.visibility_timeout_s >= 6 * validate.timeout_s);
    assert!(queue.redrive.is_some());
    let uploads = stack.buckets.iter().find(|it| it.logical_id == "UploadsBucket").unwrap();
    assert_eq!(uploads.notifications[0].queue_arn, queue.arn);
    let EventSource::Stream(source) = &stack.function("dispatch").unwrap().events[0] else { panic!("a stream") };
    assert_eq!(source.starting_position, StartingPosition::TrimHorizon);
    assert!(source.bisect && source.on_failure.is_some() && source.maximum_retries.is_some());
    assert_eq!(
        stack.tables[0].definition["StreamSpecification"],
        json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" })
    );
    assert!(stack.topics.is_empty(), "the topic's condition does not hold");
}

#[test]
fn a_functions_own_values_win_over_the_globals() {
    let stack = read(
        r"
Globals: { Function: { Timeout: 9, MemorySize: 256, Environment: { Variables: { A: global, B: global } } } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./functions/f/
      Timeout: 20
      Environment: { Variables: { B: own } }
      Events: { Daily: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(2 hours) } } }
",
        &place(),
    )
    .unwrap();
    let function = &stack.functions[0];
    assert_eq!((function.name.as_str(), function.timeout_s, function.memory_mb), ("f", 20, 256));
    assert_eq!((function.environment["A"].as_str(), function.environment["B"].as_str()), ("global", "own"));
    let EventSource::Schedule(schedule) = &function.events[0] else { panic!("a schedule") };
    assert_eq!(schedule.every_s, 7200);
}
