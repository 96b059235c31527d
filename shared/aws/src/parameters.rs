//! Secrets by name: a setting that reads `ssm:/name` is the value of that parameter in the SSM Parameter Store; any other is itself.
//!
//! AWS's own extension for parameters would be another layer, with another ARN in each region, for one call.

use std::{collections::BTreeMap, sync::Mutex};

use aws_config::SdkConfig;
use photovault_vault::seams::{SeamError, SeamResult};
use serde_json::{Value, json};

use crate::signed::{Service, post};

const SSM: Service = Service { host: "ssm", name: "ssm" };
const PREFIX: &str = "ssm:";

/// The parameters that were read. A changed one is seen by the next sandbox.
pub struct Parameters {
    config: SdkConfig,
    known: Mutex<BTreeMap<String, String>>,
}

impl Parameters {
    pub(crate) fn new(config: SdkConfig) -> Self {
        Self { config, known: Mutex::default() }
    }

    /// What a setting stands for.
    pub async fn resolve(&self, setting: &str) -> SeamResult<String> {
        let Some(name) = setting.strip_prefix(PREFIX) else { return Ok(setting.to_owned()) };
        let known = || self.known.lock().expect("nobody panics while holding it");
        if let Some(value) = known().get(name).cloned() {
            return Ok(value);
        }
        let failed = |answer: String| SeamError { asked: format!("parameter {name}"), answer };
        let headers =
            [("content-type", "application/x-amz-json-1.1".to_owned()), ("x-amz-target", "AmazonSSM.GetParameter".to_owned())];
        let asked = json!({"Name": name, "WithDecryption": true}).to_string();
        let answer = post(&self.config, &SSM, "/", &headers, asked.into_bytes()).await;
        let (status, body) = answer.map_err(|not_sent| failed(not_sent.why()))?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let Some(value) = answer["Parameter"]["Value"].as_str().filter(|_| status == 200) else {
            let kind = answer["__type"].as_str().unwrap_or_default();
            return Err(failed(format!("SSM answered {status} {kind}")));
        };
        known().insert(name.to_owned(), value.to_owned());
        Ok(value.to_owned())
    }
}
