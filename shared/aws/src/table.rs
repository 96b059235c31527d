//! The catalog's table: DynamoDB.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use photovault_vault::{
    Page,
    seams::{Expect, Row, RowKey, SeamError, SeamResult, Table, Write, Written},
};

use crate::failure;

pub(crate) struct DynamoDb {
    pub(crate) client: Client,
    pub(crate) table: String,
}

#[async_trait]
impl Table for DynamoDb {
    async fn row(&self, key: &RowKey) -> SeamResult<Option<Arc<Row>>> {
        let asked = || format!("read of {} {}", key.pk, key.sk);
        let read =
            self.client.get_item().table_name(&self.table).set_key(Some(attributes_of_key(key))).consistent_read(true).send();
        read.await.map_err(|error| failure(asked(), &error))?.item.map(|item| row_of(item, asked)).transpose()
    }

    async fn put(&self, row: Row, expect: Expect) -> SeamResult<Written> {
        let asked = format!("write of {}", row.get("sk").map(ToString::to_string).unwrap_or_default());
        let item: HashMap<String, AttributeValue> =
            serde_dynamo::to_item(row).map_err(|error| SeamError { asked: asked.clone(), answer: error.to_string() })?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let (condition, values) = condition(expect);
        let put = put.condition_expression(condition).set_expression_attribute_values(values);
        match put.send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) if error.as_service_error().is_some_and(is_taken) => Ok(Written::Conflict),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    async fn put_all(&self, writes: Vec<Write>) -> SeamResult<Written> {
        let asked = format!("{} writes at once", writes.len());
        let malformed = |answer: String| SeamError { asked: asked.clone(), answer };
        let items = writes.into_iter().map(|write| self.part(write).map_err(malformed)).collect::<SeamResult<Vec<_>>>()?;
        match self.client.transact_write_items().set_transact_items(Some(items)).send().await {
            Ok(_) => Ok(Written::Yes),
            Err(error) if error.as_service_error().is_some_and(is_conflict) => Ok(Written::Conflict),
            Err(error) => Err(failure(asked, &error)),
        }
    }

    async fn remove(&self, key: &RowKey) -> SeamResult<()> {
        let removed = self.client.delete_item().table_name(&self.table).set_key(Some(attributes_of_key(key))).send().await;
        removed.map(|_| ()).map_err(|error| failure(format!("removal of {} {}", key.pk, key.sk), &error))
    }

    async fn rows(&self, pk: &str, prefix: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<Arc<Row>>> {
        let asked = || format!("query of {pk} {prefix}");
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let query = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).expression_attribute_values(":pk", text(pk));
        // A prefix may not be empty in DynamoDB.
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        };
        let start = after.map(|sk| attributes_of_key(&RowKey { pk: pk.to_owned(), sk: sk.to_owned() }));
        let found = query.set_exclusive_start_key(start).send().await.map_err(|error| failure(asked(), &error))?;
        let next = found.last_evaluated_key.as_ref().and_then(|key| key.get("sk")?.as_s().ok()).cloned();
        let items = found.items.unwrap_or_default().into_iter().map(|item| row_of(item, asked)).collect::<SeamResult<_>>()?;
        Ok(Page { items, next })
    }

    async fn rows_before(&self, pk: &str, before: &str, limit: u32) -> SeamResult<Vec<Arc<Row>>> {
        let asked = || format!("query of {pk} before {before}");
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let query = self.client.query().table_name(&self.table).consistent_read(true).scan_index_forward(false);
        let query = query.key_condition_expression("pk = :pk AND sk < :before").limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let query = query.expression_attribute_values(":pk", text(pk)).expression_attribute_values(":before", text(before));
        let found = query.send().await.map_err(|error| failure(asked(), &error))?;
        found.items.unwrap_or_default().into_iter().map(|item| row_of(item, asked)).collect()
    }

    async fn work(&self, list: &str, after: Option<&str>, limit: u32) -> SeamResult<Page<RowKey>> {
        let asked = || format!("query of the index work for {list}");
        let malformed = |answer: String| SeamError { asked: asked(), answer };
        let start = after.map(|after| start_of_work(list, after)).transpose().map_err(|error| malformed(error.to_string()))?;
        let query = self.client.query().table_name(&self.table).index_name("work").key_condition_expression("work_pk = :work");
        let query = query.expression_attribute_values(":work", AttributeValue::S(list.into()));
        let query = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).set_exclusive_start_key(start);
        let found = query.send().await.map_err(|error| failure(asked(), &error))?;
        let text = |item: &HashMap<String, AttributeValue>, name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned();
        let key = |item: &HashMap<String, AttributeValue>| Some(RowKey { pk: text(item, "pk")?, sk: text(item, "sk")? });
        let place = |item: &HashMap<String, AttributeValue>| {
            let RowKey { pk, sk } = key(item)?;
            serde_json::to_string(&(item.get("work_at")?.as_n().ok()?, pk, sk)).ok()
        };
        let next = found.last_evaluated_key.as_ref().and_then(place);
        Ok(Page { items: found.items().iter().filter_map(key).collect(), next })
    }
}

impl DynamoDb {
    /// One write of a transaction.
    fn part(&self, write: Write) -> Result<TransactWriteItem, String> {
        let put = |row: Row| -> Result<_, String> {
            let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(row).map_err(|error| error.to_string())?;
            Ok(Put::builder().table_name(&self.table).set_item(Some(item)))
        };
        let part = TransactWriteItem::builder();
        Ok(match write {
            Write::Put(row, expect) => {
                let (condition, values) = condition(expect);
                let put = put(row)?.condition_expression(condition).set_expression_attribute_values(values);
                part.put(put.build().map_err(|error| error.to_string())?)
            }
            Write::Set(row) => part.put(put(row)?.build().map_err(|error| error.to_string())?),
            Write::Remove(key) => {
                let delete = Delete::builder().table_name(&self.table).set_key(Some(attributes_of_key(&key)));
                part.delete(delete.build().map_err(|error| error.to_string())?)
            }
        }
        .build())
    }
}

/// Another writer came first, or a transaction is at that row this moment.
fn is_taken(error: &PutItemError) -> bool {
    error.is_conditional_check_failed_exception() || error.is_transaction_conflict_exception()
}

/// Another writer came first, or is at it this moment: either way what was decided is decided anew. What else cancels a transaction
/// (a throttle, an item that is too large) is a failure.
fn is_conflict(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return matches!(error, TransactWriteItemsError::TransactionInProgressException(_));
    };
    let codes = || canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).filter(|code| *code != "None");
    let is_conflict = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
    codes().next().is_some() && codes().all(is_conflict)
}

/// The condition and the values in it.
fn condition(expect: Expect) -> (&'static str, Option<HashMap<String, AttributeValue>>) {
    match expect {
        Expect::Absent => ("attribute_not_exists(pk)", None),
        Expect::Version(version) => {
            ("version = :version", Some(HashMap::from([(":version".into(), AttributeValue::N(version.to_string()))])))
        }
    }
}

/// The index's key in a place: the time as DynamoDB writes numbers, and the row's own key.
fn start_of_work(list: &str, place: &str) -> serde_json::Result<HashMap<String, AttributeValue>> {
    let (at, pk, sk): (String, String, String) = serde_json::from_str(place)?;
    let mut start = attributes_of_key(&RowKey { pk, sk });
    start.insert("work_pk".into(), AttributeValue::S(list.into()));
    start.insert("work_at".into(), AttributeValue::N(at));
    Ok(start)
}

fn attributes_of_key(key: &RowKey) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".into(), AttributeValue::S(key.pk.clone())), ("sk".into(), AttributeValue::S(key.sk.clone()))])
}

fn row_of(item: HashMap<String, AttributeValue>, asked: impl Fn() -> String) -> SeamResult<Arc<Row>> {
    serde_dynamo::from_item(item).map(Arc::new).map_err(|error| SeamError { asked: asked(), answer: error.to_string() })
}
