//! Breaks that were resolved before: a break that is as it was then is not new.
//!
//! The list is an earlier output of `onus reconcile` (CSV or JSON lines) with the rows that are resolved, or what
//! `onus breaks list --state confirmed --format jsonl` prints.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use onus_casework::resolution::BreakId;
use onus_model::PaymentKey;

use super::rows_out::COLUMNS;

/// Which payment and what about it: class, terminal, batch and trace.
const KEY: [&str; 4] = ["class", "term_id", "batch_no", "trace_no"];
/// What it says: when one of these changes, the break is open again.
const FACTS: [&str; 9] = ["rrn", "merchant_id", "t_amount", "s_amount", "c_amount", "gross", "fee", "net", "account"];

/// How a break of this run stands to the list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is not on it.
    New,
    /// It is on it, as it is.
    Resolved,
    /// It is on it with other facts.
    Changed(String),
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Facts by key; none where the list says nothing of them.
    breaks: HashMap<Vec<String>, Option<Vec<String>>>,
    /// How many of this run are on it.
    pub(crate) n_resolved: u64,
    /// How many are on it with other facts.
    pub(crate) n_changed: u64,
}

impl Resolved {
    /// Reads a list.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::read(&text).with_context(|| format!("--resolved {}", path.display()))
    }

    fn read(text: &str) -> Result<Self> {
        let mut list = Self::default();
        if text.trim_start().starts_with('{') {
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                list.add_json(line).with_context(|| format!("line {number}"))?;
            }
        } else {
            list.add_csv(text)?;
        }
        Ok(list)
    }

    fn add_json(&mut self, line: &str) -> Result<()> {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
        let field = |name: &str| match row.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        match row.get("id").and_then(serde_json::Value::as_str) {
            Some(id) => self.add_exported(id, &field("state")),
            None => self.add(field),
        }
    }

    /// A break of the store. Its facts are other columns than those of files, so its name alone counts.
    fn add_exported(&mut self, id: &str, state: &str) -> Result<()> {
        if state != "confirmed" {
            bail!("break {id} is {state:?}, not confirmed; export with --state confirmed");
        }
        let broken = BreakId::parse(id).with_context(|| format!("{id:?} is no break; expected PAYMENT.CLASS"))?;
        let key = PaymentKey::parse(&broken.payment).with_context(|| format!("break {id}"))?;
        let stan = key.stan.map(|stan| stan.to_string()).unwrap_or_default();
        let key = vec![broken.class.to_string(), key.tid.to_string(), key.batch.to_string(), stan];
        self.breaks.insert(key, None);
        Ok(())
    }

    fn add_csv(&mut self, text: &str) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
        let header = reader.headers()?.clone();
        let column = |name: &str| header.iter().position(|known| known == name);
        for name in KEY.iter().chain(&FACTS) {
            if column(name).is_none() {
                bail!("no column {name}; expected the columns that `onus reconcile` writes");
            }
        }
        for row in reader.records() {
            let row = row?;
            self.add(|name| column(name).and_then(|at| row.get(at)).unwrap_or_default().to_owned())?;
        }
        Ok(())
    }

    fn add(&mut self, field: impl Fn(&str) -> String) -> Result<()> {
        let key: Vec<String> = KEY.iter().map(|name| field(name)).collect();
        if key.first().is_none_or(String::is_empty) {
            bail!("a row without a class; expected the columns that `onus reconcile` writes");
        }
        self.breaks.insert(key, Some(FACTS.iter().map(|name| field(name)).collect()));
        Ok(())
    }

    /// How a break stands to the list, by its fields in the order of [`COLUMNS`].
    pub(crate) fn judge<'f>(&mut self, fields: impl Iterator<Item = &'f [u8]>) -> Known {
        let fields: Vec<&[u8]> = fields.collect();
        let field = |name: &str| {
            let at = COLUMNS.iter().position(|column| *column == name);
            String::from_utf8_lossy(at.and_then(|at| fields.get(at)).copied().unwrap_or_default()).into_owned()
        };
        let key: Vec<String> = KEY.iter().map(|name| field(name)).collect();
        let Some(then) = self.breaks.get(&key) else { return Known::New };
        let changed: Vec<String> = then
            .iter()
            .flat_map(|then| FACTS.iter().zip(then))
            .map(|(name, then)| (name, then, field(name)))
            .filter(|(_, then, now)| *then != now)
            .map(|(name, then, now)| format!("{name} {then:?} -> {now:?}"))
            .collect();
        if changed.is_empty() {
            self.n_resolved += 1;
            return Known::Resolved;
        }
        self.n_changed += 1;
        Known::Changed(format!("resolved before, since then changed: {}", changed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "class,term_id,rrn,merchant_id,agent_id,batch_no,trace_no,t_amount,s_amount,c_amount,gross,fee,net,account,effect_fen,first_party,flags,rules,t_at,s_at,c_at,p_at,note\n\
        AMT_CLEAR,T1,R1,M1,A1,1,2,100,100,200,200,1,199,62,100,network,,breaks-1,j@0,,,,\"a, b\"\n";

    fn fields(class: &str, trace: &str, net: &str) -> Vec<Vec<u8>> {
        let row = [
            class, "T1", "R1", "M1", "A1", "1", trace, "100", "100", "200", "200", "1", net, "62", "100", "network",
            "", "breaks-1", "other@9", "", "", "", "",
        ];
        assert_eq!(row.len(), COLUMNS.len());
        row.iter().map(|field| field.as_bytes().to_vec()).collect()
    }

    fn judge(list: &mut Resolved, class: &str, trace: &str, net: &str) -> Known {
        let row = fields(class, trace, net);
        list.judge(row.iter().map(Vec::as_slice))
    }

    #[test]
    fn a_break_that_is_as_it_was_is_resolved() {
        let json = r#"{"class":"AMT_CLEAR","term_id":"T1","rrn":"R1","merchant_id":"M1","batch_no":1,"trace_no":2,"t_amount":100,"s_amount":100,"c_amount":200,"gross":200,"fee":1,"net":199,"account":"62"}"#;
        for text in [CSV, json] {
            let mut list = Resolved::read(text).unwrap();
            assert_eq!(judge(&mut list, "AMT_CLEAR", "2", "199"), Known::Resolved);
            assert_eq!(judge(&mut list, "AMT_CLEAR", "3", "199"), Known::New);
            assert_eq!(judge(&mut list, "DUP_CLEAR", "2", "199"), Known::New);
            assert_eq!(
                judge(&mut list, "AMT_CLEAR", "2", "150"),
                Known::Changed(r#"resolved before, since then changed: net "199" -> "150""#.to_owned())
            );
            assert_eq!((list.n_resolved, list.n_changed), (1, 1));
        }
    }

    #[test]
    fn an_export_of_the_store_counts_by_name() {
        let line = r#"{"id":"2026-09-21.29000001.000001.000011.AMT_CLEAR","state":"confirmed"}"#;
        let list = Resolved::read(line).unwrap();
        let key = ["AMT_CLEAR", "29000001", "1", "11"].map(str::to_owned).to_vec();
        assert_eq!(list.breaks.get(&key), Some(&None));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (text, expected) in [
            ("class,term_id\nX,Y\n", "no column batch_no"),
            ("{\"id\":\"x\",\"state\":\"confirmed\"}", "is no break"),
            ("{\"id\":\"2026-09-21.29000001.000001.000011.AMT_CLEAR\",\"state\":\"open\"}", "not confirmed"),
            ("{\"term_id\":\"T1\"}", "without a class"),
        ] {
            let error = format!("{:#}", Resolved::read(text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
