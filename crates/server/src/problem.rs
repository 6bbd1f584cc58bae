//! Errors as the API answers them: RFC 9457 problem documents in the reader's language.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use onus_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::language::Lang;

/// What went wrong, in both languages until the answer is written.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Words>);

#[derive(Debug, Clone)]
struct Words {
    status: StatusCode,
    code: &'static str,
    title: [&'static str; 2],
    detail: [String; 2],
    hint: [&'static str; 2],
}

/// RFC 9457 problem document; `code` is stable, `hint` says what to do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    code: String,
    hint: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: [&'static str; 2], hint: [&'static str; 2]) -> Self {
        let detail = title.map(str::to_owned);
        Self(Box::new(Words { status, code, title, detail, hint }))
    }

    fn with_detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.detail = [zh.into(), en.into()];
        self
    }

    /// No session, or one that has ended.
    pub(crate) fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            ["尚未登录", "Not signed in"],
            ["请在 /login 登录后重试。", "Sign in at /login and try again."],
        )
    }

    /// The role may not do this.
    pub(crate) fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            ["没有权限", "Not allowed"],
            ["请联系管理员。", "Ask an administrator."],
        )
    }

    /// The request may come from another site.
    pub(crate) fn foreign_request() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_request",
            ["请求来源不可信", "The request may come from another site"],
            [
                "修改类请求须带请求头 X-Onus-Request: 1，表单须从本站提交。",
                "Send the header X-Onus-Request: 1 with requests that change something, and forms from this site.",
            ],
        )
    }

    /// It is not there, or the actor may not see it.
    pub(crate) fn not_found(what_zh: &str, what_en: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            ["未找到", "Not found"],
            [
                "请检查编号；不在您权限范围内的记录也显示为不存在。",
                "Check the id; what you may not see does not exist for you.",
            ],
        )
        .with_detail(format!("没有这个{what_zh}。"), format!("There is no such {what_en}."))
    }

    /// No such route.
    pub(crate) fn no_route() -> Self {
        let hint = ["接口文档：/api/v1/openapi.json", "The routes are described at /api/v1/openapi.json"];
        Self::new(StatusCode::NOT_FOUND, "no_route", ["没有这个接口", "No such route"], hint)
    }

    /// The route does not know the method.
    pub(crate) fn method_not_allowed() -> Self {
        let hint = ["接口文档：/api/v1/openapi.json", "The routes are described at /api/v1/openapi.json"];
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", ["不支持该方法", "Method not allowed"], hint)
    }

    /// A parameter did not read.
    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            ["请求参数有误", "A parameter is wrong"],
            ["请按接口文档修改参数。", "Correct the parameter as the API document says."],
        )
        .with_detail(format!("参数无法读取：{detail}"), detail)
    }

    /// A cursor of another list, or a damaged one.
    pub(crate) fn bad_cursor() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_cursor",
            ["分页游标无效", "The cursor does not belong to this list"],
            ["请从第一页重新开始（不带 cursor）。", "Start again without a cursor."],
        )
    }

    /// A step of resolving a break that the rules do not allow.
    pub(crate) fn not_taken(status: StatusCode, code: &'static str, zh: &str, en: &str) -> Self {
        Self::new(
            status,
            code,
            ["不能执行这一步", "This step is not possible"],
            ["请刷新后查看该差异的现状与处理记录。", "Look at where the break stands now and at its history."],
        )
        .with_detail(zh, en)
    }

    /// Our fault; the log has the details.
    pub(crate) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            ["服务器内部错误", "Internal error"],
            [
                "请稍后重试；仍失败时请管理员查看服务器日志。",
                "Try again later; if it stays, an administrator finds the reason in the server's log.",
            ],
        )
    }

    /// The store has another writer for too long.
    fn busy(error: &StoreError) -> Self {
        tracing::warn!(%error, "the store is busy");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            ["数据库正忙", "The store is busy"],
            ["正在导入数据，请稍后重试。", "An import is running; try again in a moment."],
        )
    }

    pub(crate) fn document(&self, lang: Lang) -> ProblemDocument {
        let Words { status, code, title, detail, hint } = &*self.0;
        let pick = |texts: [&str; 2]| lang.pick(texts[0], texts[1]).to_owned();
        ProblemDocument {
            r#type: format!("urn:onus:problem:{code}"),
            title: pick(*title),
            status: status.as_u16(),
            detail: pick([&detail[0], &detail[1]]),
            code: (*code).to_owned(),
            hint: pick(*hint),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Cursor => Self::bad_cursor(),
            _ if error.failure() == Some(onus_store::Failure::Busy) => Self::busy(&error),
            _ => Self::internal(&error),
        }
    }
}

/// The problem rides along until [`write_problems`] knows the language.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Writes the problem of an answer, if it has one, in the language of the request.
pub(crate) async fn write_problems(request: Request, next: Next) -> Response {
    let lang = Lang::of_headers(request.headers());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else {
        return response;
    };
    let body = serde_json::to_vec(&problem.document(lang)).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    *response.body_mut() = Body::from(body);
    response
}
