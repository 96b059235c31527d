//! Ways to people: SNS for the deployment's topic, Amazon SES or a mail server for e-mails, and what needs no AWS.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sns::{config::retry::RetryConfig, error::SdkError};
use photovault_channels::{NotSent, ntfy, smtp::Server, webhook};
use photovault_domain::{Channel, Notice};
use photovault_vault::{
    Post,
    seams::{Answer, Clock as _, Notifier, SeamError, SeamResult},
};
use serde_json::json;

use crate::{
    Parameters, SystemClock, failure,
    signed::{Service, post},
};

const SES: Service = Service { host: "email", name: "ses" };

pub(crate) struct Ways {
    sns: aws_sdk_sns::Client,
    config: SdkConfig,
    parameters: Arc<Parameters>,
}

impl Ways {
    pub(crate) fn new(config: SdkConfig, parameters: Arc<Parameters>) -> Self {
        // The SDK would send again what may have been taken.
        let once = aws_sdk_sns::config::Builder::from(&config).retry_config(RetryConfig::disabled()).build();
        Self { sns: aws_sdk_sns::Client::from_conf(once), config, parameters }
    }

    async fn publish(&self, topic: &str, notice: &Notice) -> SeamResult<Answer> {
        let sent = self.sns.publish().topic_arn(topic).subject(&notice.title).message(&notice.text).send().await;
        let Err(error) = sent else { return Ok(Answer::Taken) };
        let why = failure(format!("publish to {topic}"), &error);
        match &error {
            SdkError::ConstructionFailure(_) => Ok(Answer::NotTaken(why.to_string())),
            SdkError::ServiceError(refusal) => Ok(match refusal.raw().status().as_u16() {
                429 | 503 => Answer::NotTaken(why.to_string()),
                400..=499 => Answer::Refused(why.to_string()),
                _ => return Err(why),
            }),
            _ => Err(why),
        }
    }

    async fn mail(&self, settings: &Post, to: &str, notice: &Notice) -> SeamResult<Answer> {
        if settings.mail_from.is_empty() {
            return Ok(Answer::Refused("no sender of e-mails is configured (MAIL_FROM)".to_owned()));
        }
        if settings.smtp.0.is_empty() {
            return self.mail_by_ses(&settings.mail_from, to, notice).await;
        }
        match Server::parse(&self.parameters.resolve(&settings.smtp.0).await?) {
            Ok(server) => server.send(&settings.mail_from, to, notice).await,
            Err(why) => Ok(Answer::Refused(format!("{why} (SMTP)"))),
        }
    }

    /// Source: Amazon SES API v2, `SendEmail`.
    async fn mail_by_ses(&self, from: &str, to: &str, notice: &Notice) -> SeamResult<Answer> {
        let text = |text: &str| json!({"Data": text, "Charset": "UTF-8"});
        let simple = json!({"Subject": text(&notice.title), "Body": {"Text": text(&notice.text)}});
        let mail = json!({"FromEmailAddress": from, "Destination": {"ToAddresses": [to]}, "Content": {"Simple": simple}});
        let headers = [("content-type", "application/json".to_owned())];
        let sent = post(&self.config, &SES, "/v2/email/outbound-emails", &headers, mail.to_string().into_bytes()).await;
        let unknown = |answer: String| Err(SeamError { asked: "mail by SES".to_owned(), answer });
        match sent {
            Ok((200..=299, _)) => Ok(Answer::Taken),
            Ok((status @ (429 | 503), _)) => Ok(Answer::NotTaken(format!("SES answered {status}"))),
            Ok((status @ 400..=499, body)) => {
                let said: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                Ok(Answer::Refused(format!("SES answered {status}: {}", said["message"].as_str().unwrap_or_default())))
            }
            Ok((status, _)) => unknown(format!("it answered {status}")),
            Err(NotSent::Never(why)) => Ok(Answer::Refused(why)),
            Err(NotSent::NotNow(why)) => Ok(Answer::NotTaken(why)),
            Err(NotSent::Perhaps(why)) => unknown(why),
        }
    }
}

#[async_trait]
impl Notifier for Ways {
    async fn send(&self, settings: &Post, to: &Channel, notice: &Notice) -> SeamResult<Answer> {
        let secret = match to {
            Channel::Webhook { secret, .. } => Some(secret),
            Channel::Ntfy { token, .. } => token.as_ref(),
            Channel::Topic { .. } | Channel::Email { .. } => None,
        };
        let secret = match secret {
            // The vault's own parameters are not for users to send away.
            Some(name) if name.starts_with("ssm:") && !name.contains(&format!("/users/{}/", notice.user)) => {
                let why = format!("a channel's parameter is one below …/users/{}/", notice.user);
                return Ok(Answer::Refused(why));
            }
            Some(secret) => match self.parameters.resolve(secret).await {
                Ok(secret) => Some(secret),
                // Nothing has left yet.
                Err(error) => return Ok(Answer::NotTaken(error.to_string())),
            },
            None => None,
        };
        let secret = secret.as_deref();
        match to {
            Channel::Topic { arn } => self.publish(arn, notice).await,
            Channel::Email { to } => self.mail(settings, to, notice).await,
            Channel::Webhook { url, .. } => {
                let now = SystemClock.now();
                webhook::send(url, secret.unwrap_or_default(), settings.private, notice, now).await
            }
            Channel::Ntfy { url, .. } => ntfy::send(url, secret, settings.private, notice).await,
        }
    }
}
