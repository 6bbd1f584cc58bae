//! Findings in words, in Chinese and English.

use super::answer::{Answer, Figures, Finding, Is, Other, Part};
use super::table::Table;

/// What the figures count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Failures of attempts, in Chinese.
    FailuresZh,
    /// Failures of attempts, in English.
    FailuresEn,
    /// A measure with its forecast, in Chinese.
    MeasureZh,
    /// A measure with its forecast, in English.
    MeasureEn,
}

impl Words {
    const fn chinese(self) -> bool {
        matches!(self, Self::FailuresZh | Self::MeasureZh)
    }

    fn figures(self, figures: Figures) -> String {
        let Figures { size, actual, expected } = figures;
        match self {
            Self::FailuresZh => {
                format!("{size:.0} 笔中失败 {actual:.0} 笔，平时约 {expected:.1} 笔{}", times(figures, "，", " 倍"))
            }
            Self::FailuresEn => {
                format!("{actual:.0} of {size:.0} failed, ordinarily {expected:.1}{}", times(figures, ", ", " times"))
            }
            Self::MeasureZh => {
                format!("{size:.0} 行，实际 {actual:.2}，预测 {expected:.2}{}", times(figures, "，", " 倍"))
            }
            Self::MeasureEn => {
                format!("{size:.0} rows, {actual:.2} instead of {expected:.2}{}", times(figures, ", ", " times"))
            }
        }
    }
}

fn times(figures: Figures, before: &str, after: &str) -> String {
    if figures.expected > 0.0 {
        format!("{before}{:.2}{after}", figures.actual / figures.expected)
    } else {
        String::new()
    }
}

/// A scope as text, its conditions in the order of their names: `city=3&link=2`, `amount<500`.
#[must_use]
pub fn scope_text(table: &Table, scope: &[Part]) -> String {
    let mut parts: Vec<String> = scope.iter().map(|part| part_text(table, part)).collect();
    parts.sort();
    parts.join("&")
}

fn part_text(table: &Table, part: &Part) -> String {
    let Some(dim) = table.dims().get(part.dim) else { return String::new() };
    match &part.is {
        Is::Value(value) => format!("{}={}", dim.name, dim.values.get(*value as usize).map_or("", String::as_str)),
        Is::Between(None, None) => dim.name.clone(),
        Is::Between(Some(from), None) => format!("{}>={from}", dim.name),
        Is::Between(None, Some(to)) => format!("{}<{to}", dim.name),
        Is::Between(Some(from), Some(to)) => format!("{from}<={}<{to}", dim.name),
    }
}

/// The whole answer in lines.
#[must_use]
pub fn explanation(table: &Table, answer: &Answer, words: Words) -> Vec<String> {
    let zh = words.chinese();
    let mut lines = Vec::new();
    if let Some(everywhere) = &answer.everywhere {
        let head = if zh {
            "整体同时变化，原因不在这些维度之内"
        } else {
            "Everything moved: the cause is not in these dimensions"
        };
        lines.push(format!("{head} ({}; LLR {:.1})", words.figures(everywhere.figures), everywhere.nats));
    }
    if answer.findings.is_empty() && answer.everywhere.is_none() {
        lines.push(
            if zh {
                "这些维度里没有能解释异常的范围"
            } else {
                "No scope in these dimensions explains anything"
            }
            .to_owned(),
        );
    }
    for (at, finding) in answer.findings.iter().enumerate() {
        let scope = scope_text(table, &finding.scope);
        lines.push(format!("{}. {scope}: {} (LLR {:.1})", at + 1, words.figures(finding.figures), finding.nats));
        lines.extend(alternatives(table, finding, words));
    }
    lines
}

fn alternatives(table: &Table, finding: &Finding, words: Words) -> Vec<String> {
    let zh = words.chinese();
    let name = |dim: usize| table.dims().get(dim).map_or("", |dim| dim.name.as_str());
    let value = |dim: usize, value: u32| {
        table.dims().get(dim).and_then(|dim| dim.values.get(value as usize)).map_or("", String::as_str)
    };
    let line = |alternative: &super::answer::Alternative| {
        let what = match (&alternative.other, zh) {
            (Other::Without(dim), true) => format!("其余{}", name(*dim)),
            (Other::Without(dim), false) => format!("any other {}", name(*dim)),
            (Other::Sibling(dim, other), true) => format!("改为 {}={}", name(*dim), value(*dim, *other)),
            (Other::Sibling(dim, other), false) => format!("with {}={}", name(*dim), value(*dim, *other)),
        };
        format!("   - {what}: {} (LLR {:.1})", words.figures(alternative.figures), alternative.nats)
    };
    finding.alternatives.iter().map(line).collect()
}
