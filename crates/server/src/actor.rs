//! Who asks, found by the session cookie.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use onus_model::{Date, Instant, Zone};
use onus_store::tenants::{self, TenantRow};
use onus_store::{Scope, sessions};

use crate::accounts::sha256_hex;
use crate::language::Lang;
use crate::policy::Role;
use crate::problem::Problem;
use crate::state::{ServerState, wall_clock};

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "onus_session";

/// A signed-in user.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) agent_code: Option<String>,
    pub(crate) locale: String,
    pub(crate) tenant: TenantRow,
    pub(crate) lang: Lang,
    pub(crate) token_sha256: String,
    zone: Zone,
}

impl Actor {
    /// Who has this session, if it is still good.
    pub(crate) async fn of_headers(state: &ServerState, headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(token) = session_token(headers) else {
            return Ok(None);
        };
        let token_sha256 = sha256_hex(token);
        let hash = token_sha256.clone();
        let found = state
            .read(move |tx| {
                let Some(login) = sessions::user_of(tx, &hash, wall_clock())? else {
                    return Ok(None);
                };
                let tenant = tenants::by_id(tx, &login.tenant)?;
                Ok(tenant.map(|tenant| (login.user, tenant)))
            })
            .await?;
        let Some((user, tenant)) = found else {
            return Ok(None);
        };
        let zone = Zone::named(&tenant.zone).map_err(|error| Problem::internal(&error))?;
        // A role that this program does not know may do nothing.
        let Some(role) = Role::parse(&user.role) else {
            return Ok(None);
        };
        Ok(Some(Self {
            username: user.username,
            role,
            agent_code: user.agent_code,
            locale: user.locale,
            tenant,
            lang: Lang::of_headers(headers),
            token_sha256,
            zone,
        }))
    }

    /// What this actor may see.
    pub(crate) fn scope(&self) -> Scope {
        match self.role {
            // Without an agent the subtree is empty.
            Role::Agent => Scope::subtree(&self.tenant.id, self.agent_code.clone().unwrap_or_default()),
            Role::Administrator | Role::Operator | Role::Reviewer => Scope::all(&self.tenant.id),
        }
    }

    /// The tenant's time zone.
    pub(crate) fn zone(&self) -> Zone {
        self.zone.clone()
    }

    /// RFC 3339 in the tenant's zone.
    pub(crate) fn time(&self, at: i64) -> String {
        self.zone.format(Instant(at))
    }

    /// RFC 3339 in the tenant's zone, or none.
    pub(crate) fn time_or_none(&self, at: Option<i64>) -> Option<String> {
        at.map(|at| self.time(at))
    }

    /// First instant of a local day and of the next one.
    pub(crate) fn day(&self, date: &str) -> Result<(i64, i64), Problem> {
        let date = Date::parse(date.as_bytes()).map_err(|error| Problem::bad_request(&format!("date: {error}")))?;
        let mut zone = self.zone();
        Ok((zone.instant(date, 0).0, zone.instant(date.plus_days(1), 0).0))
    }
}

/// The actor that the gate let in.
impl FromRequestParts<ServerState> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &ServerState) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::not_signed_in)
    }
}

fn session_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value)
}
