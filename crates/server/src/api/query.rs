//! Reading paths and queries, with problems instead of bare texts when they do not read.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use onus_store::{Page, PageRequest};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The query of a request.
#[derive(Debug)]
pub(crate) struct Asked<Q>(pub(crate) Q);

impl<S: Send + Sync, Q: DeserializeOwned> FromRequestParts<S> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(query)| Self(query)).map_err(|error| Problem::bad_request(&error.body_text()))
    }
}

/// The variable part of a path.
#[derive(Debug)]
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|error| Problem::bad_request(&error.body_text()))
    }
}

/// A filter that is given and not empty.
pub(crate) fn given(filter: Option<String>) -> Option<String> {
    filter.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The page that a query asks for.
pub(crate) fn page_request(cursor: Option<String>, limit: Option<u32>) -> PageRequest {
    PageRequest { cursor: given(cursor), limit: limit.unwrap_or(0) }
}

/// The parts of a page, its items changed.
pub(crate) fn parts_of<T, U>(page: Page<T>, change: impl FnMut(T) -> U) -> (Vec<U>, Option<String>) {
    let page = page.map(change);
    (page.items, page.next_cursor)
}
