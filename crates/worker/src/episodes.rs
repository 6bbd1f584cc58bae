//! Found scopes as episodes, and what is told about each.

pub(crate) mod portrait;

use std::collections::{BTreeMap, BTreeSet};

use onus_incident::episode::amount::{Alike, Cut};
use onus_incident::episode::hypotheses::Hypotheses;
use onus_incident::episode::unproven::Unproven;
use onus_incident::{Dim, Family, Found, Policy};
use onus_model::{Cause, Episode, FindingStatus, Text, Zone};
use serde_json::{Map, Value, json};

use crate::episodes::portrait::Portrait;
use crate::samples::Samples;

pub(crate) const fn cause_of(family: Family) -> Cause {
    match family {
        Family::Lost => Cause::NetUp,
        Family::AcquirerSilent => Cause::NetAcq,
        Family::IssuerDown => Cause::NetIss,
        Family::Funds => Cause::CardFunds,
        Family::Unread => Cause::TermHw,
        Family::BadReply => Cause::TermOutdated,
        Family::KeySync => Cause::MaintError,
        Family::Diverted | Family::Misdirected | Family::OneSided => Cause::Unknown,
        Family::Displaced | Family::WrongMcc => Cause::MerchRule,
    }
}

pub(crate) const fn title_of(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::Lost => ("网络线路无应答或报错", "Network line gives no answer or errors"),
        Family::AcquirerSilent => ("收单机构线路中断", "Acquirer's line is down"),
        Family::IssuerDown => ("发卡机构故障", "Issuer outage"),
        Family::Funds => ("余额不足增多", "More insufficient funds than usual"),
        Family::Unread => ("同批次终端读卡失败", "One production batch fails to read cards"),
        Family::BadReply => ("旧程序无法处理应答", "Outdated program cannot read replies"),
        Family::KeySync => ("终端密钥不同步", "Terminal keys out of step"),
        Family::Diverted => ("终端程序转移资金", "Terminals divert money"),
        Family::Misdirected => ("结算款付至被改账户", "Payouts to accounts changed without control"),
        Family::Displaced => ("终端移机使用", "Terminals used away from their place"),
        Family::OneSided => ("单边账多于正常", "More one-sided payments than normal"),
        Family::WrongMcc => ("套用低费率商户号", "Payments under a cheaper merchant code"),
    }
}

/// An episode, with what is told about it beside.
pub(crate) struct Told {
    pub(crate) episode: Episode,
    /// What the console and exports show: life, map, amounts, hypotheses, notices.
    pub(crate) body: Map<String, Value>,
}

/// What episodes are told with.
pub(crate) struct Telling<'a> {
    pub(crate) samples: &'a Samples,
    pub(crate) policy: &'a Policy,
    pub(crate) hypotheses: &'a Hypotheses,
    pub(crate) zone: &'a Zone,
    /// By episode: terminals that no record speaks against.
    pub(crate) beside: &'a [Vec<Unproven>],
}

impl Telling<'_> {
    /// Found scopes as episodes.
    pub(crate) fn all(&self, found: &[Found]) -> Vec<Told> {
        found.iter().enumerate().map(|(number, found)| self.tell(found, number)).collect()
    }

    fn tell(&self, found: &Found, number: usize) -> Told {
        let family = self.policy.families.iter().find(|family| family.family == found.family);
        let alike = family
            .filter(|family| family.amount_cut)
            .map(|_| Alike::of(&self.samples.samples, found, &self.policy.cut));
        let cut = alike.as_ref().and_then(|alike| alike.cut(&self.policy.cut));
        let episode = self.episode(found, number, cut.as_ref());
        let portrait = Portrait { telling: self, found, episode: &episode, family, cut: cut.as_ref() };
        let mut body = portrait.body(alike.as_ref());
        body.insert("pattern".to_owned(), family.is_some_and(|family| family.pattern).into());
        body.insert("unproven".to_owned(), self.unproven(number).iter().map(|it| self.open(it)).collect());
        Told { episode, body }
    }

    fn unproven(&self, number: usize) -> &[Unproven] {
        self.beside.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    fn open(&self, it: &Unproven) -> Value {
        json!({
            "terminal": self.samples.names.text(it.value), "payments": it.payments, "telling": it.telling,
            "chance_ppm": it.chance_ppm,
        })
    }

    fn episode(&self, found: &Found, number: usize, cut: Option<&Cut>) -> Episode {
        let mut exposure: BTreeMap<String, (u64, i64)> = BTreeMap::new();
        let mut amount_minor = 0i64;
        for sample in found.members.iter().filter_map(|index| self.samples.samples.get(*index as usize)) {
            let agent = self.samples.names.text(sample.dims.get(Dim::Agent as usize).copied().unwrap_or_default());
            let entry = exposure.entry(agent.to_owned()).or_default();
            entry.0 += 1;
            entry.1 = entry.1.saturating_add(sample.amount_minor);
            amount_minor = amount_minor.saturating_add(sample.amount_minor);
        }
        let mut scope: BTreeMap<String, Vec<String>> =
            found.scope.iter().map(|(dim, set)| (dim.as_str().to_owned(), self.values(set))).collect();
        if scope.contains_key(Dim::ProductionBatch.as_str()) {
            scope.insert(Dim::Model.as_str().to_owned(), self.values(&models(found, self.samples)));
        }
        if let Some(cut) = cut {
            scope.insert("amount".to_owned(), vec![cut.scope_value()]);
        }
        let (zh, en) = title_of(found.family);
        let scope_text = self.scope_text(found, cut);
        let (date, _) = self.zone.local(found.started_at);
        let excluded = found.excluded.iter();
        Episode {
            id: format!("E{}-{}-{}", date.to_string().replace('-', ""), found.family.as_str(), number + 1),
            cause: cause_of(found.family),
            status: if found.confirmed { FindingStatus::Confirmed } else { FindingStatus::Probable },
            benign: found.benign,
            started_at: found.since,
            ended_at: found.ended_at,
            scope,
            payments: found.members.len() as u64,
            amount_minor,
            title: Text { zh: format!("{zh}：{}", scope_text.zh), en: format!("{en}: {}", scope_text.en) },
            signals: [signal(found)].into_iter().chain(self.not_ruled_out(number)).collect(),
            excluded: excluded.map(|it| it.text(self.samples.names.text(it.value), &scope_text)).collect(),
            exposure,
        }
    }

    /// Which terminals could not be ruled out, and why they are in no scope.
    fn not_ruled_out(&self, number: usize) -> Option<Text> {
        let open = self.unproven(number);
        let list = |one: fn(&str, u64, String) -> String, joint: &str| {
            let shown =
                open.iter().map(|it| one(self.samples.names.text(it.value), it.telling, percent(it.chance_ppm)));
            shown.collect::<Vec<_>>().join(joint)
        };
        let zh = list(|tid, telling, chance| format!("{tid}（可显形{telling}笔，可能性{chance}）"), "、");
        let en = list(|tid, telling, chance| format!("{tid} ({telling} payments would have shown it, {chance})"), ", ");
        (!open.is_empty()).then(|| Text {
            zh: format!("另有{}台同样逾期未巡检、程序哈希正常、尚无记录可证的终端，不列入范围，建议先查：{zh}", open.len()),
            en: format!(
                "{} more terminals are as long without inspection, report a good hash and have no record against them; they are not in the scope, inspect them first: {en}",
                open.len()
            ),
        })
    }

    /// A scope in words, at most five values of each dimension.
    fn scope_text(&self, found: &Found, cut: Option<&Cut>) -> Text {
        let mut shown: Vec<(String, String)> = found
            .scope
            .iter()
            .map(|(dim, set)| {
                let (list, more) = (self.values(set), set.len().saturating_sub(5));
                let list = list.get(..list.len().min(5)).unwrap_or_default();
                let more = if more > 0 {
                    (format!("等{}个", set.len()), format!(" and {more} more"))
                } else {
                    Default::default()
                };
                (
                    format!("{} {}{}", dim.title().zh, list.join("、"), more.0),
                    format!("{} {}{}", dim.title().en, list.join(", "), more.1),
                )
            })
            .collect();
        if let Some(cut) = cut {
            shown.push((format!("金额 {}", cut.scope_value()), format!("amount {}", cut.scope_value())));
        }
        let join =
            |parts: Vec<String>, empty: &str| if parts.is_empty() { empty.to_owned() } else { parts.join(" × ") };
        let (zh, en): (Vec<String>, Vec<String>) = shown.into_iter().unzip();
        Text { zh: join(zh, "全部"), en: join(en, "everywhere") }
    }

    fn values(&self, values: &[u32]) -> Vec<String> {
        let mut texts: Vec<String> = values.iter().map(|value| self.samples.names.text(*value).to_owned()).collect();
        texts.sort();
        texts
    }
}

fn signal(found: &Found) -> Text {
    let (rate, baseline) = (percent(found.rate_ppm), percent(found.baseline_ppm));
    Text {
        zh: format!("范围内 {} 笔尝试中失败 {} 笔（{rate}），其余为 {baseline}", found.attempts, found.failures),
        en: format!(
            "{} of {} attempts in the scope failed ({rate}), elsewhere {baseline}",
            found.failures, found.attempts
        ),
    }
}

pub(crate) fn percent(ppm: u64) -> String {
    format!("{}.{:02} %", ppm / 10_000, ppm / 100 % 100)
}

/// A batch number means something only with the model that it is of.
fn models(found: &Found, samples: &Samples) -> Vec<u32> {
    let members = found.members.iter().filter_map(|index| samples.samples.get(*index as usize));
    let models: BTreeSet<u32> = members.filter_map(|sample| sample.dims.get(Dim::Model as usize)).copied().collect();
    models.into_iter().filter(|model| *model != 0).collect()
}
