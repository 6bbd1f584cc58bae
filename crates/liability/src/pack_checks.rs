//! Checks that a pack must pass before it may decide anything.

use onus_model::{AgentBasis, Cause, Party};

use crate::pack::{Pack, PackError, Rule};

pub(crate) fn check(pack: &Pack) -> Result<(), PackError> {
    for rule in &pack.rules {
        check_agent(rule)?;
        for obligation in &rule.obligations {
            if !pack.duties.contains_key(&obligation.duty) {
                return Err(PackError::row(&rule.id, format!("duty {:?} has no words in [duties]", obligation.duty)));
            }
        }
    }
    check_last_resort(pack)?;
    check_reachable(pack)
}

/// An agent pays only for its own fault, contract or promise, and never on an unknown cause.
fn check_agent(rule: &Rule) -> Result<(), PackError> {
    let charged = rule.shares.of(Party::Agent) > 0 || rule.outward == Some(Party::Agent);
    if charged && rule.agent_basis == AgentBasis::None {
        return Err(PackError::row(
            &rule.id,
            "charges an agent without agent_basis; give own_fault, contract or own_promise",
        ));
    }
    if !charged && rule.agent_basis != AgentBasis::None {
        return Err(PackError::row(&rule.id, "gives agent_basis but charges no agent"));
    }
    if rule.causes.contains(&Cause::Unknown) {
        if charged {
            return Err(PackError::row(&rule.id, "charges an agent on an unknown cause"));
        }
        if !rule.suspense || !rule.shares.parts().is_empty() {
            return Err(PackError::row(&rule.id, "an unknown cause goes to suspense, with no final shares"));
        }
    } else if rule.suspense {
        return Err(PackError::row(&rule.id, "only an unknown cause goes to suspense"));
    }
    Ok(())
}

/// Every cause of the cause table, and UNKNOWN, must end in a row without conditions.
fn check_last_resort(pack: &Pack) -> Result<(), PackError> {
    let causes = pack.causes.iter().map(|row| (row.cause, row.id.as_str())).chain([(Cause::Unknown, "UNKNOWN")]);
    for (cause, row) in causes {
        let open = |rule: &&Rule| rule.causes.contains(&cause) && rule.when.0.is_empty() && rule.kinds.is_empty();
        if !pack.rules.iter().any(|rule| open(&rule)) {
            return Err(PackError::row(
                row,
                format!("no rule without conditions for cause {cause}: some payments would have no verdict"),
            ));
        }
    }
    Ok(())
}

/// A row that an earlier row always wins over can never apply.
fn check_reachable(pack: &Pack) -> Result<(), PackError> {
    for (index, later) in pack.rules.iter().enumerate() {
        let earlier = pack.rules.iter().take(index).find(|earlier| {
            let causes = later.causes.iter().all(|cause| earlier.causes.contains(cause));
            let kinds = earlier.kinds.is_empty()
                || (!later.kinds.is_empty() && later.kinds.iter().all(|kind| earlier.kinds.contains(kind)));
            causes && kinds && earlier.when.covers(&later.when)
        });
        if let Some(earlier) = earlier {
            return Err(PackError::row(
                &later.id,
                format!("can never apply: {:?} comes first and matches whatever it matches", earlier.id),
            ));
        }
    }
    for (index, later) in pack.causes.iter().enumerate() {
        let earlier = pack.causes.iter().take(index).find(|earlier| {
            later.kinds.iter().all(|kind| earlier.kinds.contains(kind)) && earlier.when.covers(&later.when)
        });
        if let Some(earlier) = earlier {
            return Err(PackError::row(
                &later.id,
                format!("can never apply: {:?} comes first and matches whatever it matches", earlier.id),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::pack::Pack;

    const CAUSES: &str = "cause = []";
    const HEAD: &str = r#"
        id = "t"
        version = "1"
        effective_from = "2026-01-01"
        jurisdiction = "CN"
        note = ""
        [duties]
        [agent_answers]
        none = { zh = "", en = "" }
        own_fault = { zh = "", en = "" }
    "#;
    const WORDS: &str = r#"
        title = { zh = "", en = "" }
        text = { zh = "", en = "" }
        ground = { text = { zh = "", en = "" }, source = "", grade = "P" }
    "#;

    fn refusal(rules: &str) -> String {
        let text = format!("{HEAD}{}", rules.replace("WORDS", WORDS));
        Pack::load(&text, CAUSES).map_or_else(|error| error.to_string(), |_| "loaded".to_owned())
    }

    const UNKNOWN: &str = "[[rule]]\nid = 'u'\ncauses = ['UNKNOWN']\nsuspense = true\nWORDS\n";

    #[test]
    fn what_must_not_load_does_not() {
        let table = [
            (UNKNOWN.to_owned(), "loaded"),
            (String::from("rule = []"), "data"),
            ("[[rule]]\nid = 'u'\ncauses = ['UNKNOWN']\nshares = { agent = 10000 }\nagent_basis = 'own_fault'\nWORDS\n".to_owned(), "unknown cause"),
            (format!("{UNKNOWN}[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nshares = {{ agent = 10000 }}\nWORDS\n"), "without agent_basis"),
            (format!("{UNKNOWN}[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nshares = {{ network = 9000 }}\nWORDS\n"), "9000 basis points"),
            (format!("{UNKNOWN}[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nwhen = {{ 'no.such' = true }}\nWORDS\n"), "not in the fact vocabulary"),
            (format!("{UNKNOWN}[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nwhen = {{ 'cleared' = 'yes' }}\nWORDS\n"), "true or false"),
            (format!("{UNKNOWN}[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nWORDS\n[[rule]]\nid = 'b'\ncauses = ['NET.UP']\nwhen = {{ cleared = true }}\nWORDS\n"), "can never apply"),
        ];
        for (rules, expected) in table {
            let said = refusal(&rules);
            let fits = if expected == "data" { said.contains("rules.toml") } else { said.contains(expected) };
            assert!(fits, "{rules}\n{said}");
        }
    }
}
