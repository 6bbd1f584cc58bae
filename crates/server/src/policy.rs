//! Who may do what. The only place that decides it; what an actor may *see* of a list is its store scope.

use axum::http::Method;

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sets the installation up and sees everything.
    Administrator,
    /// Works on cases.
    Operator,
    /// Reads everything, changes nothing.
    Reviewer,
    /// An agent: sees its own subtree only.
    Agent,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Operator, Self::Reviewer, Self::Agent];

    /// The text kept in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Reviewer => "reviewer",
            Self::Agent => "agent",
        }
    }

    /// Reads the text kept in the store.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// Something an actor can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    ReadSession,
    SignOut,
    ReadOverview,
    ListPayments,
    ReadPayment,
    ListTerminals,
    ListAgents,
    ListEpisodes,
    ReadEpisode,
    ListAlarms,
    ListCases,
    ListBreaks,
    ReadBreak,
    ResolveBreak,
    ListDiversions,
    ListExpectations,
    ListLimits,
    ReadMonitoring,
    ListRejudgements,
    ListPacks,
    Decide,
    ListFiles,
    ListRejects,
    ListGateways,
    ReadCheckpoint,
    ReadEvidence,
    ListAudit,
    ReadApiDocument,
}

/// Every route of the API and what it does. A route that is missing here is refused for everybody.
pub(crate) const ROUTES: [(Method, &str, Action); 32] = [
    (Method::GET, "/api/v1/session", Action::ReadSession),
    (Method::DELETE, "/api/v1/session", Action::SignOut),
    (Method::GET, "/api/v1/overview", Action::ReadOverview),
    (Method::GET, "/api/v1/payments", Action::ListPayments),
    (Method::GET, "/api/v1/payments/{id}", Action::ReadPayment),
    (Method::GET, "/api/v1/terminals", Action::ListTerminals),
    (Method::GET, "/api/v1/agents", Action::ListAgents),
    (Method::GET, "/api/v1/episodes", Action::ListEpisodes),
    (Method::GET, "/api/v1/episodes/{id}", Action::ReadEpisode),
    (Method::GET, "/api/v1/alarms", Action::ListAlarms),
    (Method::GET, "/api/v1/cases", Action::ListCases),
    (Method::GET, "/api/v1/breaks", Action::ListBreaks),
    (Method::GET, "/api/v1/breaks/{id}", Action::ReadBreak),
    (Method::POST, "/api/v1/breaks/{id}/{step}", Action::ResolveBreak),
    (Method::GET, "/api/v1/diversions", Action::ListDiversions),
    (Method::GET, "/api/v1/expectations", Action::ListExpectations),
    (Method::GET, "/api/v1/limits", Action::ListLimits),
    (Method::GET, "/api/v1/limits/{id}", Action::ListLimits),
    (Method::POST, "/api/v1/limits/{id}/{step}", Action::Decide),
    (Method::GET, "/api/v1/monitoring", Action::ReadMonitoring),
    (Method::GET, "/api/v1/rejudgements", Action::ListRejudgements),
    (Method::POST, "/api/v1/rejudgements/{step}", Action::Decide),
    (Method::GET, "/api/v1/packs", Action::ListPacks),
    (Method::GET, "/api/v1/packs/{id}/shadow", Action::ListPacks),
    (Method::POST, "/api/v1/packs/{id}/{step}", Action::Decide),
    (Method::GET, "/api/v1/files", Action::ListFiles),
    (Method::GET, "/api/v1/rejects", Action::ListRejects),
    (Method::GET, "/api/v1/gateways", Action::ListGateways),
    (Method::GET, "/api/v1/evidence/checkpoint", Action::ReadCheckpoint),
    (Method::GET, "/api/v1/evidence/entries/{index}", Action::ReadEvidence),
    (Method::GET, "/api/v1/audit", Action::ListAudit),
    (Method::GET, "/api/v1/openapi.json", Action::ReadApiDocument),
];

/// What a method on a route pattern does.
pub(crate) fn action_of(method: &Method, pattern: &str) -> Option<Action> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let known = ROUTES.iter().find(|(known, path, _)| known == method && *path == pattern);
    known.map(|(_, _, action)| *action)
}

/// Whether a role may take a step of resolving a break, also outside of HTTP.
#[must_use]
pub fn may_resolve_breaks(role: Role) -> bool {
    allow(role, Action::ResolveBreak)
}

/// Whether a console asks for it every few seconds. What was read so is not noted in the audit; what was refused is.
pub(crate) const fn is_polled(action: Action) -> bool {
    matches!(action, Action::ListGateways | Action::ListAlarms)
}

/// Whether a role may do something.
pub(crate) const fn allow(role: Role, action: Action) -> bool {
    match action {
        Action::ReadSession
        | Action::SignOut
        | Action::ReadOverview
        | Action::ListPayments
        | Action::ReadPayment
        | Action::ListTerminals
        | Action::ListAgents
        | Action::ListEpisodes
        | Action::ReadEpisode
        | Action::ListCases
        | Action::ListBreaks
        | Action::ReadBreak
        | Action::ListDiversions
        | Action::ListExpectations
        | Action::ReadCheckpoint
        | Action::ReadEvidence
        | Action::ReadApiDocument => true,
        // Files, gateways and alarms, whose cells name others, belong to the acquirer, not to one agent.
        Action::ListFiles
        | Action::ListRejects
        | Action::ListGateways
        | Action::ListAlarms
        | Action::ListLimits
        | Action::ReadMonitoring
        | Action::ListRejudgements
        | Action::ListPacks => !matches!(role, Role::Agent),
        // That maker and checker are two people is the domain's to hold.
        Action::ResolveBreak | Action::Decide => matches!(role, Role::Administrator | Role::Operator),
        Action::ListAudit => matches!(role, Role::Administrator | Role::Reviewer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_actions() {
        let mut table = String::new();
        for (_, _, action) in ROUTES {
            table += &format!("{:<16}", format!("{action:?}"));
            for role in Role::ALL {
                let mark = if allow(role, action) { role.as_str() } else { "-" };
                table += &format!(" {mark:<13}");
            }
            table = table.trim_end().to_owned() + "\n";
        }
        insta::assert_snapshot!(table, @r"
        ReadSession      administrator operator      reviewer      agent
        SignOut          administrator operator      reviewer      agent
        ReadOverview     administrator operator      reviewer      agent
        ListPayments     administrator operator      reviewer      agent
        ReadPayment      administrator operator      reviewer      agent
        ListTerminals    administrator operator      reviewer      agent
        ListAgents       administrator operator      reviewer      agent
        ListEpisodes     administrator operator      reviewer      agent
        ReadEpisode      administrator operator      reviewer      agent
        ListAlarms       administrator operator      reviewer      -
        ListCases        administrator operator      reviewer      agent
        ListBreaks       administrator operator      reviewer      agent
        ReadBreak        administrator operator      reviewer      agent
        ResolveBreak     administrator operator      -             -
        ListDiversions   administrator operator      reviewer      agent
        ListExpectations administrator operator      reviewer      agent
        ListLimits       administrator operator      reviewer      -
        ListLimits       administrator operator      reviewer      -
        Decide           administrator operator      -             -
        ReadMonitoring   administrator operator      reviewer      -
        ListRejudgements administrator operator      reviewer      -
        Decide           administrator operator      -             -
        ListPacks        administrator operator      reviewer      -
        ListPacks        administrator operator      reviewer      -
        Decide           administrator operator      -             -
        ListFiles        administrator operator      reviewer      -
        ListRejects      administrator operator      reviewer      -
        ListGateways     administrator operator      reviewer      -
        ReadCheckpoint   administrator operator      reviewer      agent
        ReadEvidence     administrator operator      reviewer      agent
        ListAudit        administrator -             reviewer      -
        ReadApiDocument  administrator operator      reviewer      agent
        ");
    }
}
