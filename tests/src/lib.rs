//! What the integration tests stand on: the project's files, the template as data, and a running vault.

#![expect(clippy::missing_panics_doc, reason = "a test helper fails by panicking")]

pub mod film;
pub mod licences;
pub mod project;
pub mod template;
pub mod tools;
