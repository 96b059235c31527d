//! Foreign bytes against everything of ours that reads them.
//!
//! [`targets`] are the parsers, one function each; [`mutate`] hurts sound inputs in ways that a seed repeats; [`corpus`] takes
//! files that other people made, hurt and unhurt, through what `validate`, `metadata` and `thumbnail` do with an upload. All of it runs on
//! the stable toolchain: a short form with the tests, a long one by `make fuzz`.

pub mod corpus;
pub mod mutate;
pub mod seeds;
pub mod targets;
