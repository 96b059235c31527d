//! The `photovault` command.
fn main() {}
