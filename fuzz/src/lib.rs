//! Foreign bytes against everything of ours that reads them.
//!
//! `parsers` are the targets, which bolero runs on hurt inputs; `corpus` takes files that other people made, hurt and unhurt,
//! through what `validate`, `metadata` and `thumbnail` do with an upload. All of it runs on the stable toolchain: a short
//! form with the tests, a long one by `make fuzz`.

pub mod corpus;
mod mutate;
#[cfg(test)]
mod parsers;
#[cfg(test)]
mod seeds;
