//! Requests to AWS that are signed here: two calls of two services, whose SDKs would cost more minutes to build than these lines.

use std::time::{Duration, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use bytes::Bytes;
use photovault_channels::{NotSent, http::Target};
use photovault_vault::seams::Clock as _;

use crate::SystemClock;

/// A service: what its host begins with, and the name that requests are signed for.
pub(crate) struct Service {
    pub(crate) host: &'static str,
    pub(crate) name: &'static str,
}

/// Posts JSON; gives the answer's status and what it says.
pub(crate) async fn post(
    config: &SdkConfig,
    service: &Service,
    path: &str,
    headers: &[(&str, String)],
    body: Vec<u8>,
) -> Result<(u16, Bytes), NotSent> {
    let region = config.region().map_or("us-east-1", |region| region.as_ref());
    let china = if region.starts_with("cn-") { ".cn" } else { "" };
    let base =
        config.endpoint_url().map_or_else(|| format!("https://{}.{region}.amazonaws.com{china}", service.host), str::to_owned);
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let target = Target::parse(&url, true).map_err(NotSent::Never)?;

    let provider = config.credentials_provider().ok_or_else(|| NotSent::NotNow("there are no credentials for AWS".to_owned()))?;
    let credentials =
        provider.provide_credentials().await.map_err(|error| NotSent::NotNow(format!("credentials for AWS: {error}")))?;
    let unsignable = |error: &dyn std::fmt::Display| NotSent::Never(format!("the request cannot be signed: {error}"));
    let identity = credentials.into();
    let now = UNIX_EPOCH + Duration::from_millis(SystemClock.now().0.unsigned_abs());
    let params = SigningParams::builder().identity(&identity).region(region).name(service.name).time(now);
    let params = params.settings(SigningSettings::default()).build().map_err(|error| unsignable(&error))?.into();
    let signed = SignableRequest::new(
        "POST",
        url.as_str(),
        headers.iter().map(|(name, value)| (*name, value.as_str())),
        SignableBody::Bytes(&body),
    );
    let signed = sign(signed.map_err(|error| unsignable(&error))?, &params).map_err(|error| unsignable(&error))?;
    let (instructions, _) = signed.into_parts();
    let mut all = headers.to_vec();
    all.extend(instructions.headers().map(|(name, value)| (name, value.to_owned())));
    let (status, body) = target.post(&all, body).await?;
    Ok((status.as_u16(), body))
}
