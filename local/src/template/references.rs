//! What `Ref` and `GetAtt` of a resource are on this machine.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::resources::is_passed_over;
use super::scope::{Scope, scalar};
use crate::dynamodb::Tables;

/// `!Ref`.
pub(super) fn of(scope: &Scope<'_>, logical_id: &str, path: &str) -> Result<String> {
    let Some(kind) = kind(scope, logical_id, path)? else {
        return Ok(format!("{}-{logical_id}", scope.place.stack_name));
    };
    let name = name(scope, logical_id)?;
    Ok(match kind {
        "AWS::SQS::Queue" => scope.place.queue_url(&name),
        "AWS::SNS::Topic" => scope.place.arn("sns", &name),
        _ => name,
    })
}

/// `!GetAtt`.
pub(super) fn attribute(scope: &Scope<'_>, logical_id: &str, attribute: &str, path: &str) -> Result<String> {
    let place = scope.place;
    let Some(kind) = kind(scope, logical_id, path)? else {
        return Ok(place.arn("passed-over", &format!("{logical_id}/{attribute}")));
    };
    let name = name(scope, logical_id)?;
    Ok(match (kind, attribute) {
        ("AWS::SQS::Queue", "Arn") => place.arn("sqs", &name),
        ("AWS::SQS::Queue", "QueueName") | ("AWS::SNS::Topic", "TopicName") => name,
        ("AWS::SQS::Queue", "QueueUrl") => place.queue_url(&name),
        ("AWS::SNS::Topic", "TopicArn") => place.arn("sns", &name),
        ("AWS::DynamoDB::Table", "Arn") => place.arn("dynamodb", &format!("table/{name}")),
        ("AWS::DynamoDB::Table", "StreamArn") => Tables::stream_arn(&name),
        ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{name}"),
        ("AWS::S3::Bucket", "DomainName" | "RegionalDomainName") => format!("{name}.s3.{}.amazonaws.com", place.region),
        ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => place.arn("lambda", &format!("function:{name}")),
        _ => bail!("{path}: the laptop engine does not know the attribute {attribute} of {logical_id} ({kind})"),
    })
}

/// A resource's physical name: the one it is given, or the stack's name and its logical id.
pub(super) fn name(scope: &Scope<'_>, logical_id: &str) -> Result<String> {
    let resource = scope.resource(logical_id).with_context(|| format!("there is no resource {logical_id}"))?;
    let property = match resource.get("Type").and_then(Value::as_str) {
        Some("AWS::SQS::Queue") => "QueueName",
        Some("AWS::SNS::Topic") => "TopicName",
        Some("AWS::DynamoDB::Table") => "TableName",
        Some("AWS::S3::Bucket") => "BucketName",
        _ => "FunctionName",
    };
    let path = format!("Resources.{logical_id}.Properties.{property}");
    let given = resource.get("Properties").and_then(|it| it.get(property));
    if let Some(given) = given.map(|it| scope.resolve(it, &path)).transpose()?.flatten() {
        return scalar(&given, &path);
    }
    let name = format!("{}-{logical_id}", scope.place.stack_name);
    Ok(if property == "BucketName" { name.to_lowercase() } else { name })
}

/// A resource's type; none for what the engine passes over or SAM makes up (a function's role, an event's rule).
fn kind<'a>(scope: &Scope<'a>, logical_id: &str, path: &str) -> Result<Option<&'a str>> {
    if let Some(resource) = scope.resource(logical_id) {
        let kind =
            resource.get("Type").and_then(Value::as_str).with_context(|| format!("Resources.{logical_id}: has no Type"))?;
        return Ok((!is_passed_over(kind)).then_some(kind));
    }
    if made_by_sam(scope, logical_id) {
        return Ok(None);
    }
    bail!("{path}: there is no parameter and no resource {logical_id}")
}

fn made_by_sam(scope: &Scope<'_>, logical_id: &str) -> bool {
    let is_function = |id: &str| {
        scope.resource(id).is_some_and(|it| it.get("Type").and_then(Value::as_str) == Some("AWS::Serverless::Function"))
    };
    if logical_id.strip_suffix("Role").is_some_and(is_function) {
        return true;
    }
    let functions = super::scope::section(scope.template, "Resources").into_iter().flatten();
    functions.filter(|(id, _)| is_function(id)).any(|(id, function)| {
        let events = function.get("Properties").and_then(|it| it.get("Events")).and_then(Value::as_object);
        logical_id.strip_prefix(id.as_str()).is_some_and(|event| events.is_some_and(|it| it.contains_key(event)))
    })
}
