//! SNS, as far as a laptop needs it: `Publish` keeps the message where it can be looked at.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use rusqlite::params;

use crate::{clock::now_ms, store::Store};

/// A refusal in the query protocol's shape.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Answers one form-encoded action in XML.
pub(crate) async fn call(store: &Store, body: &[u8]) -> Result<String, Refusal> {
    let mut form = form(body);
    let action = form.remove("Action").unwrap_or_default();
    if action != "Publish" {
        return Err(refuse("InvalidAction", format!("this engine has no action {action:?} over the query protocol")));
    }
    let topic = form.remove("TopicArn").or_else(|| form.remove("TargetArn"));
    let topic = topic.ok_or_else(|| refuse("InvalidParameter", "Publish needs a TopicArn".to_owned()))?;
    let message = form.remove("Message").ok_or_else(|| refuse("InvalidParameter", "Publish needs a Message".to_owned()))?;
    let subject = form.remove("Subject");
    let published = store.write(move |connection| {
        let id: String = connection.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
        let sql = "INSERT INTO published (id, topic, subject, message, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.prepare_cached(sql)?.execute(params![id, topic, subject, message, now_ms()])?;
        Ok(id)
    });
    let id = published.await.map_err(|error| Refusal { status: 500, code: "InternalError", message: format!("{error:#}") })?;
    Ok(format!(
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId></PublishResult>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"
    ))
}

impl Refusal {
    pub(crate) fn xml(&self) -> String {
        let message = self.message.replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>{message}</Message></Error></ErrorResponse>",
            self.code
        )
    }
}

fn refuse(code: &'static str, message: String) -> Refusal {
    Refusal { status: 400, code, message }
}

fn form(body: &[u8]) -> HashMap<String, String> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    let text = String::from_utf8_lossy(body);
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}
