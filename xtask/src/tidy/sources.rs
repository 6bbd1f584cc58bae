//! Rules for source files: length, names, words, tests that are left out, paths of one machine.

use super::Source;

const LINES_MAX: usize = 800;

/// A file is named for what it holds.
const BANNED_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// `common` against `sqlite` and `postgres` is what that folder holds.
const NAMED_ON_PURPOSE: &str = "crates/store/migrations/common/";

/// Words that the glossary has another word for.
const BANNED_TYPES: [(&str, &str); 3] = [("Transaction", "Payment"), ("Txn", "Payment"), ("Trx", "Payment")];

pub(super) fn check(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        faults.extend(too_long(file));
        faults.extend(badly_named(file));
        faults.extend(banned_types(file));
        faults.extend(left_out_tests(file));
        faults.extend(machine_paths(file));
        faults.extend(undocumented_crate(file));
    }
    faults
}

/// Whether people write this file (a generated client is as long as its API).
fn is_code(file: &Source) -> bool {
    matches!(file.extension(), "rs" | "ts" | "tsx") && !file.path.ends_with("/schema.d.ts")
}

fn too_long(file: &Source) -> Option<String> {
    let lines = file.text.lines().count();
    (is_code(file) && lines > LINES_MAX)
        .then(|| format!("{}: {lines} lines, at most {LINES_MAX}; split it by what it does", file.path))
}

fn badly_named(file: &Source) -> Option<String> {
    if file.path.starts_with(NAMED_ON_PURPOSE) {
        return None;
    }
    let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    let banned = parts.into_iter().find(|part| BANNED_NAMES.contains(part))?;
    Some(format!("{}: `{banned}` says nothing; name it for what it holds", file.path))
}

fn banned_types(file: &Source) -> Vec<String> {
    if file.extension() != "rs" || !file.path.starts_with("crates/") || !file.path.contains("/src/") {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let words: Vec<&str> =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let [keyword, name] = pair else { continue };
            let defines = matches!(*keyword, "struct" | "enum" | "trait" | "type");
            let banned = BANNED_TYPES.iter().find(|(banned, _)| banned == name);
            if let (true, Some((banned, instead))) = (defines, banned) {
                faults.push(format!("{}:{}: `{banned}` is `{instead}` here (docs/glossary.md)", file.path, index + 1));
            }
        }
    }
    faults
}

/// A test that does not run says nothing. Joined so that this file does not name itself.
fn left_out_tests(file: &Source) -> Vec<String> {
    let marks: &[&str] = match file.extension() {
        "rs" => &[concat!("#[ig", "nore"), concat!("#[should_", "panic")],
        "ts" | "tsx" => &["test.skip(", "it.skip(", "describe.skip(", "test.only(", "it.only(", "describe.only("],
        _ => return Vec::new(),
    };
    lines_with(file, marks, "tests run, all of them; assert what is true today instead")
}

/// What works only on the machine it was written on.
fn machine_paths(file: &Source) -> Vec<String> {
    let marks = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    if file.path == "Cargo.lock" || file.path.ends_with("package-lock.json") {
        return Vec::new();
    }
    lines_with(file, &marks, "a path of one machine; use one relative to the repository")
}

fn lines_with(file: &Source, marks: &[&str], advice: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
            faults.push(format!("{}:{}: `{mark}`: {advice}", file.path, index + 1));
        }
    }
    faults
}

fn undocumented_crate(file: &Source) -> Option<String> {
    let root_file = file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs");
    (root_file && !file.text.starts_with("//! "))
        .then(|| format!("{}: starts without `//!`; say in one sentence what the crate is for", file.path))
}

#[cfg(test)]
mod tests {
    use super::super::source;
    use super::*;

    #[test]
    fn each_rule_finds_its_fault() {
        let long = "x\n".repeat(LINES_MAX + 1);
        let table = [
            ("crates/a/src/b.rs", long.as_str(), 1),
            ("console/src/api/schema.d.ts", long.as_str(), 0),
            ("demo/data.csv", long.as_str(), 0),
            ("crates/a/src/utils.rs", "", 1),
            ("crates/a/tests/common/start.rs", "", 1),
            ("crates/store/migrations/common/0001_spine.sql", "", 0),
            ("crates/a/src/b.rs", "pub struct Transaction<'a> {", 1),
            ("crates/a/src/b.rs", "use postgres::Transaction;", 0),
            ("crates/a/src/b.rs", concat!("#[ig", "nore]"), 1),
            ("console/src/b.test.ts", concat!("it.sk", "ip('x')"), 1),
            ("docs/a.md", concat!("see /ho", "me/me/notes"), 1),
            ("crates/a/src/lib.rs", "pub mod b;", 1),
            ("crates/a/src/lib.rs", "//! Words of the domain.\n", 0),
        ];
        for (path, text, expected) in table {
            let faults = check(&[source(path, text)]);
            assert_eq!(faults.len(), expected, "{path}: {faults:?}");
        }
    }
}
