//! Signing in, and setting up the first user: forms that work without JavaScript.

use std::time::Instant;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use onus_store::sessions::SessionRow;
use onus_store::{sessions, tenants, users};
use serde::Deserialize;

use crate::accounts::{self, AccountError, random_hex, same_secret, sha256_hex};
use crate::actor::COOKIE;
use crate::gate::check_origin;
use crate::language::Lang;
use crate::problem::Problem;
use crate::sign_in_page::{self, Complaint, Page};
use crate::state::{ServerState, wall_clock};

const SESSION_HOURS: i64 = 12;

/// Query of both pages.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PageQuery {
    lang: Option<String>,
    next: Option<String>,
    token: Option<String>,
}

/// Fields of both forms.
#[derive(Debug, Deserialize)]
pub(crate) struct SignInForm {
    username: String,
    password: String,
    lang: Option<String>,
    next: Option<String>,
    token: Option<String>,
}

/// The sign-in page; on the first run, the way to set-up.
pub(crate) async fn show_login(
    State(state): State<ServerState>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::of(language(query.lang.as_deref(), &headers), query.next.as_deref(), None);
    if is_first_run(&state).await? {
        return Ok(see_other(&format!("/setup?lang={}", page.lang.tag())));
    }
    Ok(html(StatusCode::OK, sign_in_page::login(&page, None)))
}

/// Signs in.
pub(crate) async fn login(
    State(state): State<ServerState>,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Problem> {
    check_origin(&headers)?;
    let form = read_form(form)?;
    let page = Page::of(language(form.lang.as_deref(), &headers), form.next.as_deref(), None);
    let username = form.username.trim().to_owned();
    if let Err(wait) = state.throttle().begin(&username, Instant::now()) {
        audit_by_name(&state, &username, "sign-in", "throttled").await?;
        let mut response = html(StatusCode::TOO_MANY_REQUESTS, sign_in_page::login(&page, Some(Complaint::Wait(wait))));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        return Ok(response);
    }
    let name = username.clone();
    let login = state.read(move |tx| users::by_username(tx, &name)).await?.filter(|it| it.user.disabled_at.is_none());
    let hash = login.as_ref().map(|it| it.user.password_hash.clone());
    let fits = state.password_fits(form.password, hash).await?;
    let Some(login) = login.filter(|_| fits) else {
        audit_by_name(&state, &username, "sign-in", "refused").await?;
        return Ok(html(StatusCode::UNAUTHORIZED, sign_in_page::login(&page, Some(Complaint::Wrong))));
    };
    state.throttle().succeeded(&username);
    let cookie = open_session(&state, &login.user.id).await?;
    state.audit(&login.tenant, &username, "sign-in", "/login", "ok").await;
    Ok(with_cookie(see_other(&page.next), cookie))
}

/// The first-run page.
pub(crate) async fn show_setup(
    State(state): State<ServerState>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = Page::of(language(query.lang.as_deref(), &headers), None, query.token.as_deref());
    if !is_first_run(&state).await? {
        return Ok(see_other(&format!("/login?lang={}", page.lang.tag())));
    }
    Ok(html(StatusCode::OK, sign_in_page::setup(&page, None)))
}

/// Adds the first administrator and signs in.
pub(crate) async fn setup(
    State(state): State<ServerState>,
    headers: HeaderMap,
    form: Result<Form<SignInForm>, FormRejection>,
) -> Result<Response, Problem> {
    check_origin(&headers)?;
    let form = read_form(form)?;
    let token = form.token.as_deref().unwrap_or_default().trim().to_owned();
    let page = Page::of(language(form.lang.as_deref(), &headers), None, Some(&token));
    if !is_first_run(&state).await? {
        return Ok(see_other("/login"));
    }
    if let Err(wait) = state.throttle().begin("/setup", Instant::now()) {
        return Ok(html(StatusCode::TOO_MANY_REQUESTS, sign_in_page::setup(&page, Some(Complaint::Wait(wait)))));
    }
    if !state.config().setup_token.as_ref().is_some_and(|expected| same_secret(expected, &token)) {
        return Ok(html(StatusCode::UNAUTHORIZED, sign_in_page::setup(&page, Some(Complaint::Token))));
    }
    state.throttle().succeeded("/setup");
    let (username, locale) = (form.username.trim().to_owned(), page.lang.tag());
    let name = username.clone();
    let added = state
        .blocking(move |state| {
            Ok(accounts::create_first_user(state.store(), &name, &form.password, locale, wall_clock()))
        })
        .await?;
    match added {
        Ok((user, tenant)) => {
            let cookie = open_session(&state, &user.id).await?;
            state.audit(&tenant, &username, "set-up", "/setup", "ok").await;
            Ok(with_cookie(see_other("/"), cookie))
        }
        Err(AccountError::NotFirst) => Ok(see_other("/login")),
        Err(AccountError::Store(error)) => Err(error.into()),
        Err(AccountError::Username) => {
            Ok(html(StatusCode::UNPROCESSABLE_ENTITY, sign_in_page::setup(&page, Some(Complaint::Username))))
        }
        Err(AccountError::Password) => {
            Ok(html(StatusCode::UNPROCESSABLE_ENTITY, sign_in_page::setup(&page, Some(Complaint::Password))))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

/// Set-up is open while there is a token for it and no user.
async fn is_first_run(state: &ServerState) -> Result<bool, Problem> {
    if state.config().setup_token.is_none() {
        return Ok(false);
    }
    Ok(state.read(users::count).await? == 0)
}

async fn open_session(state: &ServerState, user_id: &str) -> Result<String, Problem> {
    let token = random_hex::<32>()?;
    let now = wall_clock();
    let session = SessionRow {
        token_sha256: sha256_hex(&token),
        user_id: user_id.to_owned(),
        created_at: now,
        expires_at: now + SESSION_HOURS * 3600 * 1_000_000,
    };
    state
        .write(move |tx| {
            sessions::remove_expired(tx, now)?;
            sessions::insert(tx, &session)
        })
        .await?;
    Ok(cookie(state, &token, SESSION_HOURS * 3600))
}

/// The cookie that holds a token, or with age 0 ends it.
pub(crate) fn cookie(state: &ServerState, token: &str, age_seconds: i64) -> String {
    let secure = if state.config().cookie_secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_seconds}{secure}")
}

/// Notes a failed try; a name that nobody has belongs to the first tenant.
async fn audit_by_name(state: &ServerState, username: &str, action: &str, outcome: &str) -> Result<(), Problem> {
    let name = username.to_owned();
    let tenant = state
        .read(move |tx| match users::by_username(tx, &name)? {
            Some(login) => Ok(Some(login.tenant)),
            None => Ok(tenants::list(tx)?.into_iter().next().map(|tenant| tenant.id)),
        })
        .await?;
    let actor: String = username.chars().filter(|c| !c.is_control()).take(64).collect();
    state.audit(&tenant.unwrap_or_default(), &actor, action, "/login", outcome).await;
    Ok(())
}

fn language(asked: Option<&str>, headers: &HeaderMap) -> Lang {
    asked.and_then(Lang::of_tag).unwrap_or_else(|| Lang::of_headers(headers))
}

fn read_form(form: Result<Form<SignInForm>, FormRejection>) -> Result<SignInForm, Problem> {
    form.map(|Form(form)| form).map_err(|error| Problem::bad_request(&error.body_text()))
}

fn html(status: StatusCode, page: String) -> Response {
    // With `no-referrer` browsers send `Origin: null` with the form, which could not be checked.
    let headers = [
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Html(page)).into_response()
}

/// 303 to a path of this site.
pub(crate) fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn with_cookie(mut response: Response, cookie: String) -> Response {
    const NAME: HeaderName = header::SET_COOKIE;
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(NAME, value);
    }
    response
}
