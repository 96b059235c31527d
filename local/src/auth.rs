//! Signature Version 4: every request proves that it knows the secret key.

/// The one key pair that the engine accepts.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Access key id, as in `AWS_ACCESS_KEY_ID`.
    pub access_key: String,
    /// Secret key, as in `AWS_SECRET_ACCESS_KEY`.
    pub secret_key: String,
}
