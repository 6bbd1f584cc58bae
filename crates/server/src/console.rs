//! The console that is built into the binary.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use base16ct::lower::encode_string as hex;
use rust_embed::{Embed, EmbeddedFile};

use crate::language::Lang;
use crate::sign_in::see_other;
use crate::sign_in_page::percent_encoded;

#[derive(Embed)]
#[folder = "../../console/dist"]
struct Dist;

const INDEX: &str = "index.html";

/// To the sign-in page, and back afterwards.
pub(crate) fn to_login(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |it| it.as_str());
    // A file of the console is no place to come back to.
    if wanted == "/" || Dist::get(uri.path().trim_start_matches('/')).is_some() {
        return see_other("/login");
    }
    see_other(&format!("/login?next={}", percent_encoded(wanted)))
}

/// A file of the console; every other path is a page of it, which the console itself finds.
pub(crate) fn answer(method: &Method, path: &str, headers: &HeaderMap, lang: Lang) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let name = path.trim_start_matches('/');
    let name = if name.is_empty() { INDEX } else { name };
    let found = Dist::get(name).map(|file| (name, file)).or_else(|| Dist::get(INDEX).map(|file| (INDEX, file)));
    match found {
        Some((name, file)) => send(name, file, headers),
        None => not_built(lang),
    }
}

fn send(name: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()));
    // Names of assets hold a hash of their content, the others stay when their content changes.
    let cache = if name.starts_with("assets/") { "private, max-age=31536000, immutable" } else { "private, no-cache" };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok());
    let unchanged = known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let fixed = [
        (header::ETAG, HeaderValue::try_from(etag).unwrap_or(HeaderValue::from_static(""))),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    if unchanged {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)))];
    (StatusCode::OK, fixed, content_type, Body::from(file.data.into_owned())).into_response()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn not_built(lang: Lang) -> Response {
    let (zh, en) = (
        "控制台尚未构建。请运行 cargo xtask console，然后重新编译并启动服务。",
        "The console is not built. Run cargo xtask console, then build and start the server again.",
    );
    let page = format!("<!doctype html><meta charset=\"utf-8\"><title>Onus</title><p>{}</p>", lang.pick(zh, en));
    (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}
