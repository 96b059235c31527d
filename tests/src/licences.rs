//! Licence expressions (SPDX) against the list that `deny.toml` allows.
//!
//! `cargo deny check` knows more and is not on every machine; this is what the tests hold everywhere.

use std::collections::BTreeSet;

/// The `allow` list of a `deny.toml`.
pub fn allowed(deny_toml: &str) -> BTreeSet<String> {
    let list = deny_toml.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether what is allowed satisfies the expression: one side of every `OR`, both sides of every `AND`.
pub fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    // Older packages write a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let satisfied = any(&mut words, allowed);
    satisfied && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words, allowed: &BTreeSet<String>) -> bool {
    let mut satisfied = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        satisfied |= all(words, allowed);
    }
    satisfied
}

fn all(words: &mut Words, allowed: &BTreeSet<String>) -> bool {
    let mut satisfied = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        satisfied &= one(words, allowed);
    }
    satisfied
}

fn one(words: &mut Words, allowed: &BTreeSet<String>) -> bool {
    match words.next() {
        Some("(") => {
            let satisfied = any(words, allowed);
            satisfied & words.next_if_eq(&")").is_some()
        }
        Some(licence) => {
            let exception = words.next_if_eq(&"WITH").and_then(|_| words.next());
            allowed.contains(&exception.map_or_else(|| licence.to_owned(), |exception| format!("{licence} WITH {exception}")))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_holds_or_not() {
        let ours = allowed("[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n  \"Apache-2.0 WITH LLVM-exception\",\n]");
        for (expression, want) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0/MIT", true),
            ("ISC AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND ISC", true),
            ("(GPL-2.0 OR GPL-3.0) AND ISC", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("MIT ISC", false),
            ("", false),
        ] {
            assert_eq!(satisfied(expression, &ours), want, "{expression}");
        }
    }
}
