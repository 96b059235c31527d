//! Listings in key order, by the index: a page costs the same in a bucket of a million keys.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, params};

use super::objects::{Object, read, select_sql};

/// What listings with `encoding-type=url` leave as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// What is listed.
pub(super) struct Query<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    pub(super) delimiter: &'a str,
    pub(super) max: usize,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// At the prefix's first key.
    Start,
    /// Behind this key, with all its versions.
    Key(String),
    /// Behind every key that begins so.
    Prefix(String),
    /// Behind this row of this key.
    Version(String, i64),
}

/// A page.
#[derive(Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    pub(super) prefixes: Vec<String>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<From>,
}

/// The newest version of each key; keys behind a delete marker are not there.
pub(super) fn keys(connection: &Connection, query: &Query, from: From) -> anyhow::Result<Page> {
    let inclusive = select_sql("latest = 1 AND marker = 0 AND key >= ?2 ORDER BY key");
    let exclusive = select_sql("latest = 1 AND marker = 0 AND key > ?2 ORDER BY key");
    page(query, from, |from, each| {
        let (sql, key) = match bound(query, from) {
            (key, true) => (&inclusive, key),
            (key, false) => (&exclusive, key),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![query.bucket, key])?;
        while let Some(row) = rows.next()? {
            if !each(read(row)?) {
                break;
            }
        }
        Ok(())
    })
}

/// Every version of each key, newest first.
pub(super) fn versions(connection: &Connection, query: &Query, from: From) -> anyhow::Result<Page> {
    let same_key = select_sql("key = ?2 AND id < ?3 ORDER BY id DESC");
    let inclusive = select_sql("key >= ?2 ORDER BY key, id DESC");
    let exclusive = select_sql("key > ?2 ORDER BY key, id DESC");
    page(query, from, |from, each| {
        let mut going = true;
        if let From::Version(key, row) = from {
            let mut statement = connection.prepare_cached(&same_key)?;
            let mut rows = statement.query(params![query.bucket, key, row])?;
            while let (true, Some(row)) = (going, rows.next()?) {
                going = each(read(row)?);
            }
        }
        let (key, from_key) = bound(query, from);
        let mut statement = connection.prepare_cached(if from_key { &inclusive } else { &exclusive })?;
        let mut rows = statement.query(params![query.bucket, key])?;
        while let (true, Some(row)) = (going, rows.next()?) {
            going = each(read(row)?);
        }
        Ok(())
    })
}

/// Percent-encodes if the client asked for it: XML cannot carry every key.
pub(super) fn shown(key: &str, encoded: bool) -> String {
    if encoded { utf8_percent_encode(key, KEPT).to_string() } else { key.to_owned() }
}

/// The key to seek, and whether it belongs to the page itself.
fn bound(query: &Query, from: &From) -> (String, bool) {
    let sought = match from {
        From::Start => (String::new(), true),
        From::Key(key) | From::Version(key, _) => (key.clone(), false),
        // Past the last possible key of the prefix; a prefix that has no successor ends the listing at U+10FFFF itself.
        From::Prefix(prefix) => successor(prefix).map_or((char::MAX.to_string(), false), |next| (next, true)),
    };
    if sought.0.as_str() < query.prefix { (query.prefix.to_owned(), true) } else { sought }
}

/// `scan` offers rows from a place on, in order, until the offered-to function says no.
fn page(
    query: &Query,
    mut from: From,
    scan: impl Fn(&From, &mut dyn FnMut(Object) -> bool) -> anyhow::Result<()>,
) -> anyhow::Result<Page> {
    let mut page = Page::default();
    if query.max == 0 {
        return Ok(page);
    }
    loop {
        let mut again = None;
        scan(&from, &mut |object| {
            let Some(rest) = object.key.strip_prefix(query.prefix) else { return false };
            if page.objects.len() + page.prefixes.len() == query.max {
                page.next = Some(place(&page));
                return false;
            }
            let cut = if query.delimiter.is_empty() { None } else { rest.find(query.delimiter) };
            if let Some(cut) = cut {
                let common = object.key[..query.prefix.len() + cut + query.delimiter.len()].to_owned();
                again = Some(From::Prefix(common.clone()));
                page.prefixes.push(common);
                return false;
            }
            page.objects.push(object);
            true
        })?;
        match again {
            Some(next) => from = next,
            None => return Ok(page),
        }
    }
}

/// Behind the last thing on a full page.
fn place(page: &Page) -> From {
    match (page.objects.last(), page.prefixes.last()) {
        (Some(object), Some(prefix)) if *prefix > object.key => From::Prefix(prefix.clone()),
        (None, Some(prefix)) => From::Prefix(prefix.clone()),
        (Some(object), _) => From::Version(object.key.clone(), object.row),
        (None, None) => From::Start,
    }
}

/// The smallest string above all that begin with `prefix`.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // Skips the gap of surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
