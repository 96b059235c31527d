//! One page of a longer list.

/// Items in key order and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// This page's items.
    pub items: Vec<T>,
    /// The sort key that the next page begins after; `None` on the last page.
    pub next: Option<String>,
}
