//! What every API request passes: identity, policy, protection against foreign sites, audit.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::actor::Actor;
use crate::policy::{self, Role};
use crate::problem::Problem;
use crate::state::ServerState;

/// Requests that change something carry this header, which a form of another site cannot send.
const REQUEST_HEADER: &str = "x-onus-request";

/// Lets a request of the API through, or not, and notes it in the audit. A request without identity is not
/// noted: anybody could fill the store with those.
pub(crate) async fn gate(State(state): State<ServerState>, mut request: Request, next: Next) -> Response {
    let actor = match Actor::of_headers(&state, request.headers()).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return Problem::not_signed_in().into_response(),
        Err(problem) => return problem.into_response(),
    };
    let method = request.method().clone();
    let pattern = request.extensions().get::<MatchedPath>().map(|it| it.as_str().to_owned()).unwrap_or_default();
    let resource = request.uri().path().to_owned();
    let response = match admit(&actor, &method, &pattern, request.headers()) {
        Ok(()) => {
            request.extensions_mut().insert(actor.clone());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    let polled = policy::action_of(&method, &pattern).is_some_and(policy::is_polled);
    if polled && response.status().is_success() {
        return response;
    }
    let action = format!("{method} {pattern}");
    let outcome = response.status().as_u16().to_string();
    state.audit(&actor.tenant.id, &actor.username, &action, &resource, &outcome).await;
    response
}

fn admit(actor: &Actor, method: &Method, pattern: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let action = policy::action_of(method, pattern).ok_or_else(Problem::method_not_allowed)?;
    if !policy::allow(actor.role, action) {
        // What an agent may not see does not exist for it.
        return Err(if actor.role == Role::Agent { Problem::no_route() } else { Problem::forbidden() });
    }
    let changes = !(*method == Method::GET || *method == Method::HEAD);
    if changes && headers.get(REQUEST_HEADER).is_none_or(|value| value != "1") {
        return Err(Problem::foreign_request());
    }
    Ok(())
}

/// A form must come from this site, as far as the browser tells.
pub(crate) fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let authority = origin.to_str().ok().and_then(|it| it.split_once("://")).map(|(_, authority)| authority);
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let same = authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
    if same { Ok(()) } else { Err(Problem::foreign_request()) }
}
