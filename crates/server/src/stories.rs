//! What to look at first: the largest diversion and the largest failure of the network, told in words.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use onus_store::episodes::EpisodeRow;
use onus_store::overview::Overview;
use onus_store::payments::{self, PaymentFilter, PaymentItem};
use onus_store::{PageRequest, Scope, StoreError, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::texts::{self, yuan};

/// Stories kept, before all are told anew.
const KEPT_MAX: usize = 64;
const PAGE: u32 = 200;

/// Something to look at first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Story {
    id: String,
    title_zh: String,
    title_en: String,
    text_zh: String,
    text_en: String,
    /// The payment that shows it best.
    payment_id: String,
    /// Query of `/payments` that gives all payments of it.
    filter: BTreeMap<String, String>,
}

/// First and last instant of a day.
type Day = Option<(i64, i64)>;
/// Whose, of which day, and how long the evidence log was.
type Key = (Scope, Day, i64);

/// Stories told already; a longer evidence log means new decisions, and they are told anew.
#[derive(Debug, Default)]
pub(crate) struct StoryShelf {
    told: Mutex<HashMap<String, Vec<Story>>>,
}

impl StoryShelf {
    pub(crate) fn get_or_tell(
        &self,
        key: &Key,
        tell: impl FnOnce() -> Result<Vec<Story>, StoreError>,
    ) -> Result<Vec<Story>, StoreError> {
        let key = format!("{key:?}");
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(stories) = told {
            return Ok(stories);
        }
        let stories = tell()?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= KEPT_MAX {
            told.clear();
        }
        told.insert(key, stories.clone());
        Ok(stories)
    }
}

/// The stories within the scope; one that did not happen is left out.
pub(crate) fn stories(
    tx: &mut Tx<'_>,
    scope: &Scope,
    day: Day,
    sums: &Overview,
    episodes: &[EpisodeRow],
) -> Result<Vec<Story>, StoreError> {
    let diverted = diversion(tx, scope, day, sums)?;
    let failed = failure(tx, scope, day, episodes)?;
    Ok(diverted.into_iter().chain(failed).collect())
}

/// Money sent elsewhere by changed programs: the agent's doing first, else the costliest.
fn diversion(tx: &mut Tx<'_>, scope: &Scope, day: Day, sums: &Overview) -> Result<Option<Story>, StoreError> {
    let mut causes: Vec<_> = sums.by_cause.iter().filter(|(cause, _)| cause.starts_with("TAMPER.")).collect();
    causes.sort_by_key(|(cause, sum)| (cause.as_str() != "TAMPER.AGENT", -sum.loss_minor));
    for (cause, _) in causes {
        let mut diverted = Diverted::default();
        let wanted = PaymentFilter { kind: Some("K6".to_owned()), cause: Some(cause.clone()), ..of_day(day) };
        for_each_payment(tx, scope, &wanted, |item| diverted.add(item, cause))?;
        if let Some(story) = diverted.told(cause) {
            return Ok(Some(story));
        }
    }
    Ok(None)
}

#[derive(Debug, Default)]
struct Diverted {
    n_payments: u64,
    loss_minor: i64,
    agents: BTreeSet<String>,
    terminals: BTreeSet<String>,
    cities: BTreeMap<String, u64>,
    /// Loss and id of the costliest payment.
    costliest: Option<(i64, String)>,
}

impl Diverted {
    fn add(&mut self, item: &PaymentItem, cause: &str) {
        let own = item.exceptions.iter().find(|it| it.exception.kind == "K6" && it.exception.cause == cause);
        let Some(loss) = own.map(|it| it.exception.loss_minor) else {
            return;
        };
        let payment = &item.payment;
        self.n_payments += 1;
        self.loss_minor = self.loss_minor.saturating_add(loss);
        self.agents.insert(payment.agent_code.clone());
        self.terminals.insert(payment.tid.clone());
        *self.cities.entry(payment.city.clone()).or_default() += 1;
        if self.costliest.as_ref().is_none_or(|(most, _)| loss > *most) {
            self.costliest = Some((loss, payment.id.clone()));
        }
    }

    fn told(self, cause: &str) -> Option<Story> {
        let (_, payment_id) = self.costliest?;
        let city = most_often(&self.cities);
        let agents = |comma: &str| self.agents.iter().map(String::as_str).collect::<Vec<_>>().join(comma);
        let (agents_zh, agents_en) = (agents("、"), agents(", "));
        let (n_payments, n_terminals, yuan) = (self.n_payments, self.terminals.len(), yuan(self.loss_minor));
        let (cause_zh, cause_en) = texts::cause(cause);
        Some(Story {
            id: "hunan".to_owned(),
            title_zh: format!("{city}：货款被转走"),
            title_en: format!("{city}: money sent elsewhere"),
            text_zh: format!(
                "代理商 {agents_zh} 名下 {n_terminals} 台终端的 {n_payments} 笔支付被转到他人账户，共 {yuan} 元。查明原因：{cause_zh}。"
            ),
            text_en: format!(
                "{n_payments} payments of {n_terminals} terminals of agent {agents_en} went to somebody else's account, {yuan} yuan in all. Cause found: {cause_en}."
            ),
            payment_id,
            filter: BTreeMap::from([("kind".to_owned(), "K6".to_owned()), ("cause".to_owned(), cause.to_owned())]),
        })
    }
}

/// The largest failure of the network or its switch that was a real one.
fn failure(tx: &mut Tx<'_>, scope: &Scope, day: Day, episodes: &[EpisodeRow]) -> Result<Option<Story>, StoreError> {
    let largest = episodes.iter().filter(|it| it.benign == 0 && it.cause == "NET.UP").max_by_key(|it| it.payments);
    let Some(episode) = largest else {
        return Ok(None);
    };
    let wanted = PaymentFilter { kind: Some("K4".to_owned()), episode: Some(episode.id.clone()), ..of_day(day) };
    let mut failed = Failed::default();
    for_each_payment(tx, scope, &wanted, |item| failed.add(item))?;
    Ok(failed.told(episode))
}

#[derive(Debug, Default)]
struct Failed {
    cities: BTreeMap<String, u64>,
    /// Amount and id of the largest payment of each city.
    largest: BTreeMap<String, (i64, String)>,
}

impl Failed {
    fn add(&mut self, item: &PaymentItem) {
        let payment = &item.payment;
        *self.cities.entry(payment.city.clone()).or_default() += 1;
        let found = (payment.amount_minor, payment.id.clone());
        match self.largest.get_mut(&payment.city) {
            Some(largest) if largest.0 >= found.0 => {}
            Some(largest) => *largest = found,
            None => {
                self.largest.insert(payment.city.clone(), found);
            }
        }
    }

    fn told(self, episode: &EpisodeRow) -> Option<Story> {
        let city = most_often(&self.cities);
        let largest_minor = self.largest.values().map(|(amount, _)| *amount).max()?;
        let (_, payment_id) = self.largest.get(&city).cloned()?;
        let (n_payments, sum, largest) = (episode.payments, yuan(episode.amount_minor), yuan(largest_minor));
        Some(Story {
            id: "shiyan".to_owned(),
            title_zh: format!("{city}：{}", episode.title_zh),
            title_en: format!("{city}: {}", episode.title_en),
            text_zh: format!(
                "{n_payments} 笔支付同时受影响，共 {sum} 元，最大一笔 {largest} 元，以{city}最多。问题出在转接清算网络，不在终端，也不在代理商；已自动冲正的支付，持卡人没有损失。"
            ),
            text_en: format!(
                "{n_payments} payments were hit together, most of them in {city}: {sum} yuan, the largest {largest}. The fault lies in the network, not in a terminal and not with an agent; a payment that was reversed cost its cardholder nothing."
            ),
            payment_id,
            filter: BTreeMap::from([("episode".to_owned(), episode.id.clone())]),
        })
    }
}

fn for_each_payment(
    tx: &mut Tx<'_>,
    scope: &Scope,
    wanted: &PaymentFilter,
    mut visit: impl FnMut(&PaymentItem),
) -> Result<(), StoreError> {
    let mut request = PageRequest::first(PAGE);
    loop {
        let page = payments::list(tx, scope, wanted, &request)?;
        page.items.iter().for_each(&mut visit);
        if page.next_cursor.is_none() {
            return Ok(());
        }
        request.cursor = page.next_cursor;
    }
}

fn most_often(counts: &BTreeMap<String, u64>) -> String {
    let most = counts.iter().max_by_key(|(_, n)| **n);
    most.map(|(name, _)| name.clone()).unwrap_or_default()
}

fn of_day(day: Day) -> PaymentFilter {
    PaymentFilter {
        started_from: day.map(|(from, _)| from),
        started_to: day.map(|(_, to)| to),
        ..PaymentFilter::default()
    }
}
