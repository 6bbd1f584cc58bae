//! Expectations: what must still come for a payment and by when, what is overdue, what came late.

use std::collections::BTreeMap;

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value, values};

record! {
    /// An expectation.
    pub struct ExpectationRow in "expectations" keys(payment_id, leg) {
        /// `payments.id`
        pub payment_id: String,
        /// What is awaited.
        pub leg: String,
        /// Rule that awaits it.
        pub rule_id: String,
        /// When the record came that it follows.
        pub since_at: i64,
        /// By when it must come.
        pub due_at: i64,
        /// When it was found overdue.
        pub overdue_at: Option<i64>,
        /// When it came, if that was late.
        pub met_at: Option<i64>,
        /// Class of the break that its absence is, or empty.
        pub class: String,
        /// Amount of the payment.
        pub amount_minor: i64,
        /// Terminal.
        pub tid: String,
        /// Merchant.
        pub merchant_code: String,
        /// Agent of the merchant, or empty.
        pub agent_code: String,
    }
}

/// How an expectation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It may still come in time.
    Awaited,
    /// It did not come in time.
    Overdue,
    /// It came, late.
    Late,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Awaited, Self::Overdue, Self::Late];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Overdue => "overdue",
            Self::Late => "late",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == text)
    }

    fn condition(self, now: &str) -> String {
        match self {
            Self::Awaited => format!("e.met_at is null and e.due_at > {now}"),
            Self::Overdue => format!("e.met_at is null and e.due_at <= {now}"),
            Self::Late => "e.met_at is not null".to_owned(),
        }
    }
}

impl ExpectationRow {
    /// How it stands at a time.
    #[must_use]
    pub const fn standing(&self, now: i64) -> Standing {
        match (self.met_at, self.due_at <= now) {
            (Some(_), _) => Standing::Late,
            (None, true) => Standing::Overdue,
            (None, false) => Standing::Awaited,
        }
    }
}

/// Which expectations are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectationFilter {
    /// What is awaited.
    pub leg: Option<String>,
    /// How they stand.
    pub standing: Option<Standing>,
    /// Of this agent or one below it.
    pub agent: Option<String>,
}

/// Expectations of one leg, standing and age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectationSum {
    /// What is awaited.
    pub leg: String,
    /// How they stand.
    pub standing: Standing,
    /// How many of the bounds their age reaches: until they are due, since they were due, or by how much they came late.
    pub band: i64,
    /// How many.
    pub count: i64,
    /// Amount of their payments.
    pub amount_minor: i64,
}

/// What a judgement found about the payments of a batch.
#[derive(Debug, Default)]
pub struct Judged<'r> {
    /// The payments that were judged, each with the legs that are there.
    pub payments: BTreeMap<&'r str, Vec<&'static str>>,
    /// What is awaited of them.
    pub open: &'r [ExpectationRow],
}

/// Brings the expectations of judged payments up to date: new ones are stored, those met in time are removed, those
/// met late are kept as such. The same judgement again changes nothing.
pub fn settle(tx: &mut Tx<'_>, tenant: &str, judged: &Judged<'_>, now: i64) -> Result<(), StoreError> {
    let mut known = of_payments(tx, tenant, &judged.payments)?;
    let mut changed = Vec::new();
    for row in judged.open {
        let before = known.remove(&(row.payment_id.clone(), row.leg.clone()));
        let overdue_before = before.as_ref().filter(|before| before.due_at == row.due_at).and_then(|it| it.overdue_at);
        let overdue_at = overdue_before.or((row.due_at <= now).then_some(now));
        let row = ExpectationRow { overdue_at, met_at: None, ..row.clone() };
        if before.as_ref() != Some(&row) {
            changed.push(row);
        }
    }
    for ((payment, leg), row) in known.into_iter().filter(|(_, row)| row.met_at.is_none()) {
        let came = judged.payments.get(payment.as_str()).is_some_and(|legs| legs.contains(&leg.as_str()));
        if came && row.due_at < now {
            changed.push(ExpectationRow { overdue_at: row.overdue_at.or(Some(now)), met_at: Some(now), ..row });
        } else {
            remove(tx, tenant, &payment, &leg)?;
        }
    }
    record::insert(tx, tenant, Existing::Replace, &changed)?;
    Ok(())
}

/// The expectations of these payments; ids begin with a date, so that few are read in vain.
fn of_payments(
    tx: &mut Tx<'_>,
    tenant: &str,
    payments: &BTreeMap<&str, Vec<&'static str>>,
) -> Result<BTreeMap<(String, String), ExpectationRow>, StoreError> {
    let (Some((first, _)), Some((last, _))) = (payments.first_key_value(), payments.last_key_value()) else {
        return Ok(BTreeMap::new());
    };
    let sql = format!(
        "select {} from expectations e where e.tenant = $1 and e.payment_id between $2 and $3",
        ExpectationRow::columns_of("e")
    );
    let mut found = BTreeMap::new();
    tx.for_each(&sql, values![tenant, *first, *last], |row| {
        let row = ExpectationRow::read(row, 0)?;
        if payments.contains_key(row.payment_id.as_str()) {
            found.insert((row.payment_id.clone(), row.leg.clone()), row);
        }
        Ok(())
    })?;
    Ok(found)
}

fn remove(tx: &mut Tx<'_>, tenant: &str, payment_id: &str, leg: &str) -> Result<(), StoreError> {
    tx.execute(
        "delete from expectations where tenant = $1 and payment_id = $2 and leg = $3",
        values![tenant, payment_id, leg],
    )?;
    Ok(())
}

/// Legs of which something became due and was not found overdue yet.
pub fn due_legs(tx: &mut Tx<'_>, tenant: &str, now: i64) -> Result<Vec<String>, StoreError> {
    tx.query_as(
        "select distinct leg from expectations \
         where tenant = $1 and due_at <= $2 and overdue_at is null and met_at is null order by leg",
        values![tenant, now],
        |row| row.text(0).map(str::to_owned),
    )
}

/// Marks what became due as found overdue. Returns how many.
pub fn mark_overdue(tx: &mut Tx<'_>, tenant: &str, now: i64) -> Result<u64, StoreError> {
    tx.execute(
        "update expectations set overdue_at = $2 \
         where tenant = $1 and due_at <= $2 and overdue_at is null and met_at is null",
        values![tenant, now],
    )
}

/// Removes what was due before a time: its payments are not judged any more.
pub fn forget(tx: &mut Tx<'_>, tenant: &str, before: i64) -> Result<u64, StoreError> {
    tx.execute("delete from expectations where tenant = $1 and due_at < $2", values![tenant, before])
}

/// Expectations within the scope, first due first.
pub fn list(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &ExpectationFilter,
    now: i64,
    request: &PageRequest,
) -> Result<Page<ExpectationRow>, StoreError> {
    const LIST: &str = "expectations";
    let mut filter = Filter::scoped(scope, "e", "e.agent_code");
    filter.and_some("e.leg =", wanted.leg.as_deref());
    filter.and_subtree("e.agent_code", wanted.agent.as_deref());
    if let Some(standing) = wanted.standing {
        let now = if standing == Standing::Late { String::new() } else { filter.bind(now) };
        filter.and(standing.condition(&now));
    }
    filter.and_seek("e.due_at, e.payment_id, e.leg", ">", request.seek(LIST, 3)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {} from expectations e {} order by e.due_at, e.payment_id, e.leg limit {limit}",
        ExpectationRow::columns_of("e"),
        filter.clause()
    );
    let items = tx.query_as(&sql, filter.values(), |row| ExpectationRow::read(row, 0))?;
    Ok(request.page(LIST, items, |it| vec![it.due_at.into(), Value::from(&it.payment_id), Value::from(&it.leg)]))
}

/// Sums within the scope by leg, standing and age; `bounds` are ages in ascending order.
pub fn summary(tx: &mut Tx<'_>, scope: &Scope, now: i64, bounds: &[i64]) -> Result<Vec<ExpectationSum>, StoreError> {
    let mut sums = Vec::new();
    for standing in Standing::ALL {
        let mut filter = Filter::scoped(scope, "e", "e.agent_code");
        // PostgreSQL wants every value that is bound to be used.
        let now = if standing == Standing::Late { String::new() } else { filter.bind(now) };
        filter.and(standing.condition(&now));
        let age = match standing {
            Standing::Awaited => format!("e.due_at - {now}"),
            Standing::Overdue => format!("{now} - e.due_at"),
            Standing::Late => "e.met_at - e.due_at".to_owned(),
        };
        let reached: Vec<String> = bounds
            .iter()
            .map(|bound| format!("(case when {age} >= {} then 1 else 0 end)", filter.bind(*bound)))
            .collect();
        let band = if reached.is_empty() { "0".to_owned() } else { reached.join(" + ") };
        let sql = format!(
            "select leg, band, count(*), cast(sum(amount_minor) as bigint) from (\
               select e.leg, {band} as band, e.amount_minor from expectations e {}) s \
             group by leg, band order by leg, band",
            filter.clause()
        );
        sums.extend(tx.query_as(&sql, filter.values(), |row| {
            Ok(ExpectationSum {
                leg: row.text(0)?.to_owned(),
                standing,
                band: row.int(1)?,
                count: row.int(2)?,
                amount_minor: row.int(3)?,
            })
        })?);
    }
    Ok(sums)
}
