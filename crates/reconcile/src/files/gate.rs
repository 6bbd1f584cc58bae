//! The gate: what a file says about itself must be so, or nothing is matched.

use super::layout::{ControlLine, Money, Plan};
use super::tokens::CutLine;
use super::totals::Sum;

/// What is wrong with a file, if anything: its control lines against what was read.
pub(crate) fn control_fault(plan: &Plan, lines: &[(u64, Vec<u8>)], read: Sum, rejected: u64) -> Option<String> {
    for control in &plan.control {
        let mut found = lines.iter().filter(|(_, line)| line.starts_with(control.starts.as_bytes()));
        let Some((offset, line)) = found.next() else {
            return Some(format!(
                "no line begins with {:?}: the file was cut short, or is another file",
                control.starts
            ));
        };
        if found.next().is_some() {
            return Some(format!("several lines begin with {:?}", control.starts));
        }
        if let Some(fault) = line_fault(plan, control, line, read, rejected) {
            return Some(format!("line at offset {offset}: {fault}"));
        }
    }
    None
}

fn line_fault(plan: &Plan, control: &ControlLine, line: &[u8], read: Sum, rejected: u64) -> Option<String> {
    let mut cut = CutLine::default();
    let mut how = plan.cutting.clone();
    how.fixed.clear();
    if let Err(fault) = cut.cut(line, &how) {
        return Some(fault);
    }
    let text = |number: usize| -> Option<String> {
        let column = number.checked_sub(1)?;
        let end = *cut.ends.get(column)? as usize;
        let start = column.checked_sub(1).map_or(0, |before| cut.ends[before] as usize + 1);
        Some(std::str::from_utf8(cut.bytes.get(start..end)?).ok()?.trim().to_owned())
    };
    let value = |number: usize| -> Option<i128> { text(number)?.parse().ok() };
    if let Some(number) = control.count {
        let rows = i128::from(read.rows + rejected);
        match value(number) {
            Some(count) if count == rows => {}
            Some(count) => return Some(format!("it counts {count} rows, the file has {rows}")),
            None => return Some(format!("field {number} is no count")),
        }
    }
    let sum = |number: usize| match control.money {
        Money::Fen => value(number),
        Money::Yuan => text(number).and_then(|text| fen_of(&text)),
    };
    if let Some(number) = control.sum {
        match sum(number) {
            Some(sum) if sum == read.fen => {}
            Some(sum) => return Some(format!("it adds amounts to {sum} fen, the rows that read add to {}", read.fen)),
            None => return Some(format!("field {number} is no sum")),
        }
    }
    None
}

/// Yuan with at most two decimals.
fn fen_of(yuan: &str) -> Option<i128> {
    let (sign, digits) = yuan.strip_prefix('-').map_or((1, yuan), |digits| (-1, digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let cents = match decimals.len() {
        0 => 0,
        1 => decimals.parse::<u8>().ok()? * 10,
        2 => decimals.parse::<u8>().ok()?,
        _ => return None,
    };
    if ![whole, decimals].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        return None;
    }
    Some(sign * (whole.parse::<i128>().ok()?.checked_mul(100)?.checked_add(i128::from(cents))?))
}

#[cfg(test)]
mod tests {
    use super::super::layout::{HeaderOf, Layout, Source};
    use super::*;

    #[test]
    fn sums_in_yuan() {
        let table = [("12.5", Some(1_250)), ("-0.05", Some(-5)), ("7", Some(700)), ("1.234", None), ("x", None)];
        for (text, expected) in table {
            assert_eq!(fen_of(text), expected, "{text}");
        }
    }

    #[test]
    fn a_trailer_must_be_there_and_right() {
        let layout = Layout::from_toml(
            "id = \"x\"\n[batch]\nheader = false\ncontrol = [{ starts = \"T\", count = 2, sum = 3 }]\n\
             columns = { payout_batch = 1, total = 2 }\n",
        )
        .unwrap();
        let plan = layout.plan(Source::Batch, "b", &HeaderOf::None).unwrap();
        let read = Sum { rows: 2, fen: 30 };
        let table: [(&[&str], Option<&str>); 6] = [
            (&["T,2,30"], None),
            (&[], Some("no line begins with")),
            (&["T,2,30", "T,2,30"], Some("several lines")),
            (&["T,3,30"], Some("it counts 3 rows, the file has 2")),
            (&["T,2,31"], Some("it adds amounts to 31 fen, the rows that read add to 30")),
            (&["T,x,30"], Some("field 2 is no count")),
        ];
        for (lines, expected) in table {
            let lines: Vec<(u64, Vec<u8>)> = lines.iter().map(|line| (9, line.as_bytes().to_vec())).collect();
            let fault = control_fault(&plan, &lines, read, 0);
            match expected {
                None => assert_eq!(fault, None),
                Some(expected) => assert!(fault.clone().is_some_and(|fault| fault.contains(expected)), "{fault:?}"),
            }
        }
    }
}
