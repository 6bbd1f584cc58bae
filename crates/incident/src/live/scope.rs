//! The payments that an episode is about, by names.

use onus_model::Text;
use serde::{Deserialize, Serialize};

use crate::cube::{Dimension, Leaf, Sampled, Symbols};

/// Values by dimension, and a range of amounts. Empty for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scope {
    /// Dimensions in order, each with its values in order.
    pub values: Vec<(Dimension, Vec<String>)>,
    /// Amounts from (included) and to (excluded), minor units.
    pub amount: Option<(Option<u64>, Option<u64>)>,
}

impl Scope {
    /// All payments with one value in each of these dimensions.
    #[must_use]
    pub fn of(dimensions: &[Dimension], values: &[String]) -> Self {
        let mut parts: Vec<_> =
            dimensions.iter().zip(values).map(|(dimension, value)| (*dimension, vec![value.clone()])).collect();
        parts.sort();
        Self { values: parts, amount: None }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_everything(&self) -> bool {
        self.values.is_empty() && self.amount.is_none()
    }

    /// How many values and ends of amounts it names.
    pub(super) fn conditions(&self) -> usize {
        let (from, to) = self.amount.unwrap_or_default();
        let values: usize = self.values.iter().map(|(_, values)| values.len()).sum();
        values + usize::from(from.is_some()) + usize::from(to.is_some())
    }

    /// Its values in a dimension.
    #[must_use]
    pub fn of_dimension(&self, dimension: Dimension) -> Option<&[String]> {
        self.values.iter().find(|(it, _)| *it == dimension).map(|(_, values)| values.as_slice())
    }

    /// Whether it names a value.
    #[must_use]
    pub fn names(&self, dimension: Dimension, value: &str) -> bool {
        self.of_dimension(dimension).is_some_and(|values| values.iter().any(|it| it == value))
    }

    /// Whether both can be about the same trouble: no dimension of which they name different values only.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        self.values.iter().all(|(dimension, values)| {
            other.of_dimension(*dimension).is_none_or(|theirs| values.iter().any(|value| theirs.contains(value)))
        })
    }

    /// Whether they name a value in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let common =
            |(dimension, values): &(Dimension, Vec<String>)| values.iter().any(|value| other.names(*dimension, value));
        self.values.iter().any(common)
    }

    /// Puts two together that differ in the values of one dimension alone; none when they differ in more.
    pub(super) fn joined(&self, other: &Self) -> Option<Self> {
        let same_dimensions = self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(|(one, two)| one.0 == two.0);
        if !same_dimensions || self.amount != other.amount {
            return None;
        }
        let mut differing = self.values.iter().zip(&other.values).enumerate().filter(|(_, (one, two))| one != two);
        let Some((place, (one, two))) = differing.next() else { return Some(self.clone()) };
        if differing.next().is_some() {
            return None;
        }
        let mut values: Vec<String> = one.1.iter().chain(&two.1).cloned().collect();
        values.sort();
        values.dedup();
        let mut joined = self.clone();
        if let Some(part) = joined.values.get_mut(place) {
            part.1 = values;
        }
        Some(joined)
    }

    /// In words.
    #[must_use]
    pub fn text(&self) -> Text {
        let mut zh: Vec<String> = Vec::new();
        let mut en: Vec<String> = Vec::new();
        for (dimension, values) in &self.values {
            let title = title(*dimension);
            zh.push(format!("{} {}", title.zh, values.join("、")));
            en.push(format!("{} {}", title.en, values.join(", ")));
        }
        if let Some(amount) = self.amount_text() {
            zh.push(format!("金额 {amount}"));
            en.push(format!("amount {amount}"));
        }
        let join = |parts: Vec<String>, none: &str| if parts.is_empty() { none.to_owned() } else { parts.join(" × ") };
        Text { zh: join(zh, "全部"), en: join(en, "everywhere") }
    }

    /// The range of amounts, as `< 500.00`.
    #[must_use]
    pub fn amount_text(&self) -> Option<String> {
        let yuan = |minor: u64| format!("{}.{:02}", minor / 100, minor % 100);
        match self.amount? {
            (None, None) => None,
            (None, Some(to)) => Some(format!("< {}", yuan(to))),
            (Some(from), None) => Some(format!(">= {}", yuan(from))),
            (Some(from), Some(to)) => Some(format!("{} - {}", yuan(from), yuan(to))),
        }
    }

    pub(super) fn coded(&self, symbols: &Symbols) -> Coded {
        let codes = |dimension: Dimension, values: &[String]| {
            values.iter().filter_map(|value| symbols.code(dimension, value)).collect::<Vec<u16>>()
        };
        let parts = self.values.iter().map(|(dimension, values)| (*dimension, codes(*dimension, values))).collect();
        Coded { parts, amount: self.amount.unwrap_or_default() }
    }
}

/// A scope in the codes of a dictionary.
pub(super) struct Coded {
    parts: Vec<(Dimension, Vec<u16>)>,
    amount: (Option<u64>, Option<u64>),
}

impl Coded {
    pub(super) fn holds(&self, sampled: &Sampled) -> bool {
        let (from, to) = self.amount;
        self.holds_leaf(sampled.leaf)
            && from.is_none_or(|from| sampled.amount_minor >= from)
            && to.is_none_or(|to| sampled.amount_minor < to)
    }

    fn holds_leaf(&self, leaf: Leaf) -> bool {
        self.parts.iter().all(|(dimension, codes)| codes.contains(&leaf.code(*dimension)))
    }
}

/// What a dimension is called.
pub(super) fn title(dimension: Dimension) -> Text {
    let (zh, en) = match dimension {
        Dimension::NetworkLink => ("网络线路", "network link"),
        Dimension::AcquirerLink => ("收单线路", "acquirer link"),
        Dimension::Route => ("路由", "route"),
        Dimension::Issuer => ("发卡机构", "issuer"),
        Dimension::Bin => ("卡BIN", "BIN"),
        Dimension::City => ("城市", "city"),
        Dimension::MerchantCategory => ("商户类别", "merchant category"),
        Dimension::Agent => ("代理商", "agent"),
        Dimension::TerminalModel => ("机型", "terminal model"),
        Dimension::ProductionBatch => ("生产批次", "production batch"),
        Dimension::AppVersion => ("程序版本", "program version"),
        Dimension::EntryMode => ("读卡方式", "entry mode"),
        Dimension::Pin => ("密码", "PIN"),
        Dimension::CardKind => ("卡种", "card kind"),
        Dimension::Amount => ("金额", "amount"),
        Dimension::Hop => ("应答方", "hop"),
    };
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(parts: &[(Dimension, &[&str])]) -> Scope {
        let values = parts.iter().map(|(it, values)| (*it, values.iter().map(|&it| it.to_owned()).collect())).collect();
        Scope { values, amount: None }
    }

    #[test]
    fn scopes_agree_meet_and_join() {
        use Dimension::{City, NetworkLink};
        let (link, other) = (scope(&[(NetworkLink, &["211"])]), scope(&[(NetworkLink, &["212"])]));
        let (city, both) = (scope(&[(City, &["十堰"])]), scope(&[(NetworkLink, &["211", "212"])]));
        // Scopes; whether they agree, meet, and what they are together.
        let table = [
            (&link, &link, true, true, Some(&link)),
            (&link, &other, false, false, Some(&both)),
            (&link, &city, true, false, None),
            (&link, &both, true, true, Some(&both)),
            (&Scope::default(), &city, true, false, None),
        ];
        for (one, two, agrees, meets, joined) in table {
            assert_eq!((one.agrees(two), one.meets(two)), (agrees, meets), "{one:?} {two:?}");
            assert_eq!((two.agrees(one), two.meets(one)), (agrees, meets));
            assert_eq!(one.joined(two).as_ref(), joined, "{one:?} {two:?}");
        }
    }

    #[test]
    fn words() {
        let mut small = scope(&[(Dimension::NetworkLink, &["211"]), (Dimension::City, &["十堰", "襄阳"])]);
        small.amount = Some((None, Some(50_000)));
        assert_eq!(small.text().zh, "网络线路 211 × 城市 十堰、襄阳 × 金额 < 500.00");
        assert_eq!(small.text().en, "network link 211 × city 十堰, 襄阳 × amount < 500.00");
        assert_eq!(Scope::default().text().en, "everywhere");
    }
}
