//! Dialects that extend others: files are put together before they are read.

use toml::{Table, Value};

use crate::dialect;
use crate::dialect_file::DialectFile;
use crate::error::DialectError;

/// Files that extend files that are followed.
const DEPTH: usize = 8;
/// Tables of a file that a table of the same name in an overlay replaces whole.
const REPLACED: [&str; 10] =
    ["stream", "encoding", "mti", "bitmap", "emv", "mac", "match", "reversal", "codes", "mandatory"];

/// The file that `text` says, with what it extends.
pub(crate) fn file(text: &str, load: &dyn Fn(&str) -> Option<String>) -> Result<DialectFile, DialectError> {
    // A file that extends nothing is read from its text, so that errors name its lines.
    let table: Table = toml::from_str(text).map_err(syntax)?;
    if extends(&table).is_none() {
        return toml::from_str(text).map_err(syntax);
    }
    merged(table, load, 0)?.try_into().map_err(syntax)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn syntax(error: toml::de::Error) -> DialectError {
    DialectError::Syntax(error.to_string())
}

fn extends(table: &Table) -> Option<&str> {
    table.get("dialect")?.get("extends")?.as_str()
}

fn merged(overlay: Table, load: &dyn Fn(&str) -> Option<String>, depth: usize) -> Result<Table, DialectError> {
    let Some(base) = extends(&overlay).map(str::to_owned) else {
        return Ok(overlay);
    };
    let unknown =
        |problem: &str| DialectError::Part { part: "dialect", problem: format!("extends {base:?}: {problem}") };
    if depth == DEPTH {
        return Err(unknown("too many files extend each other; is it a circle?"));
    }
    let text = load(&base).or_else(|| dialect::built_in_text(&base).map(str::to_owned));
    let text = text.ok_or_else(|| unknown("is neither built in nor a file beside this one"))?;
    let base = merged(toml::from_str(&text).map_err(syntax)?, load, depth + 1)?;
    put_on(base, overlay)
}

fn put_on(mut base: Table, mut overlay: Table) -> Result<Table, DialectError> {
    let wrong = |problem: String| DialectError::Part { part: "dialect", problem };
    let removed = about(&mut base, &mut overlay);
    for number in &removed {
        let fields = base.get_mut("field").and_then(Value::as_array_mut);
        let before = fields.as_ref().map_or(0, |fields| fields.len());
        let left = fields.map_or(0, |fields| {
            fields.retain(|field| field.get("number") != Some(number));
            fields.len()
        });
        if left == before {
            return Err(wrong(format!("remove: the dialect it extends has no field {number}")));
        }
    }
    for name in REPLACED {
        if let Some(table) = overlay.remove(name) {
            base.insert(name.into(), table);
        }
    }
    by_key(&mut base, &mut overlay, "header", "name", false);
    by_key(&mut base, &mut overlay, "field", "number", true);
    match overlay.keys().next() {
        Some(unknown) => Err(wrong(format!("unknown key {unknown:?}"))),
        None => Ok(base),
    }
}

/// Takes over `[dialect]`; gives the numbers of the fields to remove.
fn about(base: &mut Table, overlay: &mut Table) -> Vec<Value> {
    let Some(Value::Table(mut about)) = overlay.remove("dialect") else {
        return Vec::new();
    };
    about.remove("extends");
    let removed = match about.remove("remove") {
        Some(Value::Array(numbers)) => numbers,
        _ => Vec::new(),
    };
    base.insert("dialect".into(), Value::Table(about));
    removed
}

/// Replaces the rows of an array of tables that have the same key. Rows of new keys are added, or replace the array.
fn by_key(base: &mut Table, overlay: &mut Table, array: &str, key: &str, add: bool) {
    let Some(Value::Array(rows)) = overlay.remove(array) else {
        return;
    };
    let Some(Value::Array(old)) = base.get_mut(array) else {
        base.insert(array.into(), Value::Array(rows));
        return;
    };
    let place = |old: &[Value], row: &Value| old.iter().position(|one| one.get(key) == row.get(key));
    if !add && rows.iter().any(|row| place(old, row).is_none()) {
        *old = rows;
        return;
    }
    for row in rows {
        match place(old, &row).and_then(|at| old.get_mut(at)) {
            Some(slot) => *slot = row,
            None => old.push(row),
        }
    }
}
