//! Seek pagination: a page ends with a cursor that names its last row, so rows that come or go
//! between two requests neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use crate::{StoreError, Value};

const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The cursor of the page before; none for the first page.
    pub cursor: Option<String>,
    /// At most this many items: 0 means 50, and more than 200 means 200.
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page starts; none when this is the last one.
    pub next_cursor: Option<String>,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { cursor: None, limit }
    }

    fn limit(&self) -> usize {
        let limit = if self.limit == 0 { LIMIT_DEFAULT } else { self.limit.min(LIMIT_MAX) };
        limit as usize
    }

    /// One row more than the page, which tells whether there is a next one.
    pub(crate) fn fetch_limit(&self) -> i64 {
        self.limit() as i64 + 1
    }

    /// The key of the last row of the page before. A cursor of another `list` is refused.
    pub(crate) fn seek(&self, list: &str, n_keys: usize) -> Result<Option<Vec<Value<'static>>>, StoreError> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| StoreError::Cursor)?;
        let parts: Vec<Json> = serde_json::from_slice(&bytes).map_err(|_| StoreError::Cursor)?;
        match parts.split_first() {
            Some((Json::String(tag), keys)) if tag == list && keys.len() == n_keys => {
                keys.iter().map(key_from_json).collect::<Result<_, _>>().map(Some)
            }
            _ => Err(StoreError::Cursor),
        }
    }

    /// The page of a whole list that is already in the ascending order of `rank`, which no two items share. For lists
    /// that are ranked by what no database computes.
    pub fn page_of_ranked<T>(
        &self,
        list: &str,
        items: Vec<T>,
        rank: impl Fn(&T) -> (i64, i64, &str),
    ) -> Result<Page<T>, StoreError> {
        let before = match self.seek(list, 3)?.as_deref() {
            None => None,
            Some([Value::Int(first), Value::Int(second), Value::Text(last)]) => {
                Some((*first, *second, last.to_string()))
            }
            Some(_) => return Err(StoreError::Cursor),
        };
        let is_read = |item: &T| {
            let ended = before.as_ref().map(|(first, second, last)| (*first, *second, last.as_str()));
            ended.is_some_and(|ended| rank(item) <= ended)
        };
        let rest = items.into_iter().skip_while(is_read).collect();
        Ok(self.page(list, rest, |item| {
            let (first, second, last) = rank(item);
            vec![Value::from(first), Value::from(second), Value::from(last)]
        }))
    }

    /// Cuts fetched rows to the page and names its last row.
    pub(crate) fn page<T>(&self, list: &str, mut items: Vec<T>, key: impl Fn(&T) -> Vec<Value<'_>>) -> Page<T> {
        let has_more = items.len() > self.limit();
        items.truncate(self.limit());
        let next_cursor = items.last().filter(|_| has_more).map(|last| encode(list, &key(last)));
        Page { items, next_cursor }
    }
}

impl<T> Page<T> {
    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

fn encode(list: &str, keys: &[Value<'_>]) -> String {
    let mut parts = vec![Json::from(list)];
    parts.extend(keys.iter().map(|key| match key {
        Value::Int(int) => Json::from(*int),
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Null | Value::Blob(_) => Json::Null, // no list is ordered by these
    }));
    URL_SAFE_NO_PAD.encode(Json::from(parts).to_string())
}

fn key_from_json(key: &Json) -> Result<Value<'static>, StoreError> {
    match key {
        Json::String(text) => Ok(Value::from(text.clone())),
        Json::Number(number) => number.as_i64().map(Value::Int).ok_or(StoreError::Cursor),
        _ => Err(StoreError::Cursor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys<'v>(item: &'v (i64, &'static str)) -> Vec<Value<'v>> {
        vec![Value::from(item.0), Value::from(item.1)]
    }

    #[test]
    fn a_cursor_names_the_last_row_of_its_page() {
        let first = PageRequest::first(2).page("payments", vec![(3, "c"), (2, "b"), (1, "a")], keys);
        assert_eq!(first.items, [(3, "c"), (2, "b")]);
        let next = PageRequest { cursor: first.next_cursor, limit: 2 };
        assert_eq!(next.seek("payments", 2).unwrap().unwrap(), [Value::from(2), Value::from("b")]);
        assert_eq!(next.page("payments", vec![(1, "a")], keys).next_cursor, None);
    }

    #[test]
    fn a_ranked_list_goes_on_after_its_cursor() {
        fn rank<'v>(item: &'v (i64, i64, &'static str)) -> (i64, i64, &'v str) {
            *item
        }
        let items = || vec![(-9, 0, "b"), (-9, 1, "a"), (-2, 0, "c"), (-2, 0, "d"), (4, 0, "e")];
        let mut request = PageRequest::first(2);
        let mut read = Vec::new();
        loop {
            let page = request.page_of_ranked("ranked", items(), rank).unwrap();
            read.extend(page.items);
            request.cursor = page.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(read, items());
        let page = PageRequest::first(2).page_of_ranked("ranked", items(), rank).unwrap();
        let next = PageRequest { cursor: page.next_cursor, limit: 9 };
        let without_last = items().into_iter().filter(|item| item.2 != "a").collect();
        assert_eq!(next.page_of_ranked("ranked", without_last, rank).unwrap().items, items()[2..]);
        assert!(matches!(next.page_of_ranked("other", items(), rank), Err(StoreError::Cursor)));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        let page = PageRequest::first(1).page("payments", vec![(3, "c"), (2, "b")], keys);
        let request = PageRequest { cursor: page.next_cursor, limit: 1 };
        assert!(matches!(request.seek("cases", 2), Err(StoreError::Cursor)));
        assert!(matches!(request.seek("payments", 1), Err(StoreError::Cursor)));
        for cursor in ["", "!", "bnVsbA", "W10"] {
            let request = PageRequest { cursor: Some(cursor.into()), limit: 1 };
            assert!(matches!(request.seek("payments", 2), Err(StoreError::Cursor)), "{cursor}");
        }
    }
}
