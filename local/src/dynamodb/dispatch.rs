//! One DynamoDB action by name, as dynoxide's own HTTP server dispatches it.

use dynoxide::{Database, DynoxideError};

/// An error as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Failure {
    pub(super) fn internal(message: &str) -> Self {
        tracing::error!(error = message, "dynamodb: internal error");
        DynoxideError::InternalServerError(message.to_owned()).into()
    }

    /// Whether a write was refused because its condition does not hold.
    pub(super) fn is_condition(&self) -> bool {
        self.body.contains("#ConditionalCheckFailedException")
    }
}

impl From<DynoxideError> for Failure {
    fn from(error: DynoxideError) -> Self {
        // A tag of dynoxide's own that its server takes off before it answers.
        let error = match error {
            DynoxideError::EnvelopedValidation(message) => DynoxideError::ValidationException(message),
            other => other,
        };
        Self { status: error.status_code(), body: error.to_json() }
    }
}

/// Whether an action reads or writes a single row.
pub(super) fn is_of_one_row(action: &str) -> bool {
    matches!(action, "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem")
}

/// Whether an action may have changed something that must be durable.
pub(super) fn writes(action: &str) -> bool {
    !["Get", "BatchGet", "TransactGet", "Query", "Scan", "List", "Describe"].iter().any(|reading| action.starts_with(reading))
}

/// Writes the arms of the table: the action's name and the database's method.
macro_rules! actions {
    ($database:ident, $action:ident, $body:ident; $($name:literal => $method:ident),+ $(,)?) => {
        match $action {
            $($name => serialize(&$database.$method(deserialize($body)?)?),)+
            _ => Err(Failure { status: 400, body: r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#.to_owned() }),
        }
    };
}

pub(super) fn run(database: &Database, action: &str, body: &str) -> Result<String, Failure> {
    actions! { database, action, body;
        "CreateTable" => create_table,
        "DeleteTable" => delete_table,
        "DescribeTable" => describe_table,
        "ListTables" => list_tables,
        "UpdateTable" => update_table,
        "PutItem" => put_item,
        "GetItem" => get_item,
        "DeleteItem" => delete_item,
        "UpdateItem" => update_item,
        "Query" => query,
        "Scan" => scan,
        "BatchGetItem" => batch_get_item,
        "BatchWriteItem" => batch_write_item,
        "TransactWriteItems" => transact_write_items,
        "TransactGetItems" => transact_get_items,
        "ListStreams" => list_streams,
        "DescribeStream" => describe_stream,
        "GetShardIterator" => get_shard_iterator,
        "GetRecords" => get_records,
        "UpdateTimeToLive" => update_time_to_live,
        "DescribeTimeToLive" => describe_time_to_live,
        "ExecuteStatement" => execute_statement,
        "ExecuteTransaction" => execute_transaction,
        "BatchExecuteStatement" => batch_execute_statement,
        "TagResource" => tag_resource,
        "UntagResource" => untag_resource,
        "ListTagsOfResource" => list_tags_of_resource,
    }
}

fn serialize<T: serde::Serialize>(answer: &T) -> Result<String, Failure> {
    serde_json::to_string(answer).map_err(|error| Failure::internal(&error.to_string()))
}

/// dynoxide's types mark what kind of refusal a body deserves by a prefix of the error.
fn deserialize<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| {
        let text = error.to_string();
        let (kind, message) = text.split_once(':').unwrap_or(("", &text));
        let message = message.split(" at line ").next().unwrap_or(message).to_owned();
        match kind {
            "SERIALIZATION" | "SERIALIZATION_AS_READ" => DynoxideError::SerializationException(message),
            "VALIDATION" | "VALIDATION_AS_READ" | "VALIDATION_REQUEST" => DynoxideError::ValidationException(message),
            _ if error.is_data() => DynoxideError::ValidationException(text),
            _ => DynoxideError::SerializationException(text),
        }
        .into()
    })
}
