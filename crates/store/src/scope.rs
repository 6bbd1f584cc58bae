//! Whose rows a reader may see, and the builder of `where` clauses that makes sure of it.

use std::fmt::Write as _;

use crate::Value;

/// What a reader may see. Every read of the domain takes one and enforces it in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The acquirer.
    pub tenant: String,
    /// Which of its agents.
    pub agents: AgentScope,
}

/// Part of a tenant's tree of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentScope {
    /// The whole tenant, also what belongs to no agent.
    All,
    /// This agent and everything below it.
    Subtree(String),
}

impl Scope {
    /// The whole tenant.
    #[must_use]
    pub fn all(tenant: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), agents: AgentScope::All }
    }

    /// One agent and everything below it.
    #[must_use]
    pub fn subtree(tenant: impl Into<String>, agent_code: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), agents: AgentScope::Subtree(agent_code.into()) }
    }

    pub(crate) fn is_all(&self) -> bool {
        self.agents == AgentScope::All
    }
}

/// The conditions of one statement with their values. `$1` is always the tenant.
#[derive(Debug)]
pub(crate) struct Filter<'v> {
    conditions: Vec<String>,
    values: Vec<Value<'v>>,
    scope: &'v Scope,
    /// The parameter that holds the root of the reader's subtree, once a condition needs it.
    scope_root: Option<String>,
}

impl<'v> Filter<'v> {
    /// Rows of `alias` that belong to the tenant and whose `agent_column` is within the scope.
    pub(crate) fn scoped(scope: &'v Scope, alias: &str, agent_column: &str) -> Self {
        let mut filter = Self::of_tenant(scope, alias);
        let within = filter.within_scope(agent_column);
        filter.conditions.extend(within);
        filter
    }

    /// Rows of `alias` that belong to no agent: only who sees the whole tenant sees them.
    pub(crate) fn whole_tenant(scope: &'v Scope, alias: &str) -> Self {
        let mut filter = Self::of_tenant(scope, alias);
        if !scope.is_all() {
            filter.conditions.push("1 = 0".into());
        }
        filter
    }

    /// Rows of `alias` of the tenant, whatever their agent: the caller adds the agent's condition itself.
    pub(crate) fn of_tenant(scope: &'v Scope, alias: &str) -> Self {
        Self {
            conditions: vec![format!("{alias}.tenant = $1")],
            values: vec![Value::from(&scope.tenant)],
            scope,
            scope_root: None,
        }
    }

    /// The condition that `agent_column` is within the scope; none when the scope is the whole tenant.
    pub(crate) fn within_scope(&mut self, agent_column: &str) -> Option<String> {
        let AgentScope::Subtree(root) = &self.scope.agents else {
            return None;
        };
        let root = match self.scope_root.take() {
            Some(mark) => mark,
            None => self.bind(root.as_str()),
        };
        let condition = in_subtree(agent_column, &root);
        self.scope_root = Some(root);
        Some(condition)
    }

    /// Binds a value and gives its `$n`.
    pub(crate) fn bind(&mut self, value: impl Into<Value<'v>>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Binds many values and gives `($n, $m, ...)`, padded to few sizes so that few statements are prepared.
    pub(crate) fn bind_list(&mut self, values: impl IntoIterator<Item = Value<'v>>) -> String {
        let first = self.values.len();
        self.values.extend(values);
        let n_values = self.values.len() - first;
        let last = if n_values == 0 { Value::Null } else { self.values[self.values.len() - 1].clone() };
        for _ in n_values..n_values.max(4).next_power_of_two() {
            self.values.push(last.clone());
        }
        let marks: Vec<String> = (first + 1..=self.values.len()).map(|number| format!("${number}")).collect();
        format!("({})", marks.join(", "))
    }

    /// Adds a condition as it stands.
    pub(crate) fn and(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Adds `left $n`, for instance `p.kind = $4`.
    pub(crate) fn and_value(&mut self, left: &str, value: impl Into<Value<'v>>) {
        let mark = self.bind(value);
        self.conditions.push(format!("{left} {mark}"));
    }

    /// Adds `left $n` when there is a value.
    pub(crate) fn and_some(&mut self, left: &str, value: Option<impl Into<Value<'v>>>) {
        if let Some(value) = value {
            self.and_value(left, value);
        }
    }

    /// Adds that `agent_column` is `root` or below it.
    pub(crate) fn and_subtree(&mut self, agent_column: &str, root: Option<&'v str>) {
        if let Some(root) = root {
            let mark = self.bind(root);
            self.conditions.push(in_subtree(agent_column, &mark));
        }
    }

    /// Adds `(columns) comparison (values)`: where the page before ended.
    pub(crate) fn and_seek(&mut self, columns: &str, comparison: &str, keys: Option<Vec<Value<'v>>>) {
        let Some(keys) = keys else { return };
        let marks: Vec<String> = keys.into_iter().map(|key| self.bind(key)).collect();
        self.conditions.push(format!("({columns}) {comparison} ({})", marks.join(", ")));
    }

    /// `where ...`
    pub(crate) fn clause(&self) -> String {
        let mut clause = String::from("where ");
        for (i, condition) in self.conditions.iter().enumerate() {
            let _ = write!(clause, "{}{condition}", if i == 0 { "" } else { " and " });
        }
        clause
    }

    pub(crate) fn values(&self) -> &[Value<'v>] {
        &self.values
    }
}

/// `union` without `all` ends also when the tree has a cycle.
fn in_subtree(agent_column: &str, root_mark: &str) -> String {
    format!(
        "{agent_column} in (with recursive below (code) as (\
           select code from agents where tenant = $1 and code = {root_mark} \
           union select child.code from agents child join below on child.parent_code = below.code \
           where child.tenant = $1) select code from below)"
    )
}

/// A pattern for `lower(column) like $n escape '\'` that finds `part` anywhere.
pub(crate) fn like_anywhere(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.chars().flat_map(char::to_lowercase) {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_numbers_its_values() {
        let scope = Scope::subtree("bank", "A1");
        let mut filter = Filter::scoped(&scope, "p", "p.agent_code");
        filter.and_some("p.city =", Some("Wuhan"));
        filter.and_some("p.tid =", None::<&str>);
        filter.and_seek("p.started_at, p.id", "<", Some(vec![Value::from(5), Value::from("x")]));
        let clause = filter.clause();
        assert!(clause.starts_with("where p.tenant = $1 and p.agent_code in (with recursive"), "{clause}");
        assert!(clause.contains("code = $2 "), "{clause}");
        assert!(clause.ends_with("and p.city = $3 and (p.started_at, p.id) < ($4, $5)"), "{clause}");
        assert_eq!(filter.values().len(), 5);
    }

    #[test]
    fn lists_of_values_are_padded() {
        let scope = Scope::all("bank");
        let mut filter = Filter::of_tenant(&scope, "p");
        assert_eq!(filter.bind_list([Value::from("a"), Value::from("b")]), "($2, $3, $4, $5)");
        assert_eq!(filter.values()[4], Value::from("b"));
    }

    #[test]
    fn patterns_escape_their_own_signs() {
        assert_eq!(like_anywhere("5%_A\\"), "%5\\%\\_a\\\\%");
    }
}
