//! Installations of Onus on disk, driven through the real binary, and the demo day that they import.

#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

/// The demo's clock.
pub(crate) const AS_OF: &str = "2026-10-12T09:00:00+08:00";
/// File of the signing key in a store folder.
pub(crate) const KEY_FILE: &str = "acquirer.evidence.key";

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The run, which must have ended with this exit code.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Each line of the output as JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }

    /// The output, which is one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The binary, free of settings of whoever runs the tests.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
    for name in [
        "ONUS_STORE",
        "ONUS_DATABASE",
        "ONUS_TENANT",
        "ONUS_LISTEN",
        "ONUS_DEMO_STORE",
        "ONUS_DEMO_PASSWORD",
        "ONUS_ROLE",
        "ONUS_GATEWAY_CONFIG",
        "ONUS_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs the binary.
pub(crate) fn onus<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    let output = command().args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A store folder of one test, removed with it.
pub(crate) struct Installation(TempDir);

impl Installation {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        Self(scratch())
    }

    /// An empty one that signs with the same key as [`Installation::with_demo_day`].
    pub(crate) fn empty_with_shared_key() -> Self {
        let made = Self::empty();
        fs::copy(shared_store().join(KEY_FILE), made.path().join(KEY_FILE)).unwrap();
        made
    }

    /// A copy of a store with the demo day in it.
    pub(crate) fn with_demo_day() -> Self {
        let made = Self::empty();
        copy_folder(&shared_store(), made.path());
        made
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command on this store.
    pub(crate) fn onus(&self, args: &[&str]) -> Run {
        let store = self.path().to_str().unwrap();
        onus(args.iter().copied().chain(["--store", store]))
    }

    /// Imports as of the demo's clock.
    pub(crate) fn import(&self, from: &Path) -> Run {
        self.onus(&["import", from.to_str().unwrap(), "--as-of", AS_OF, "--format", "json"])
    }

    /// The same as a command that has not been started.
    pub(crate) fn import_command(&self, from: &Path) -> Command {
        let mut import = command();
        import.arg("import").arg(from).arg("--store").arg(self.path()).args(["--as-of", AS_OF]);
        import.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        import
    }

    /// What `onus export` prints.
    pub(crate) fn export(&self, what: &str) -> Run {
        self.onus(&["export", what]).expect_code(0)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("onus.db")
    }

    /// The database, to look into or to tamper with.
    pub(crate) fn open(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Rows of every table but those that tell of the run and not of the data; each table sorted.
    pub(crate) fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let connection = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut names = connection
            .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
            .unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let told = |name: &String| !matches!(name.as_str(), "sessions" | "audit" | "settings" | "gateway_status");
        let tables: BTreeMap<_, _> =
            names.into_iter().filter(told).map(|name| (name.clone(), table(&connection, &name))).collect();
        for expected in
            ["files", "payments", "exceptions", "log_entries", "checkpoints", "ledger_lines", "cases", "tallies"]
        {
            assert!(tables.contains_key(expected), "the store has no table {expected}");
        }
        tables
    }

    /// Sealed files of the vault, finished ones only.
    pub(crate) fn sealed(&self) -> Vec<PathBuf> {
        let mut found = files_below(&self.path().join("vault"));
        found.retain(|path| path.extension().is_some_and(|extension| extension == "zst"));
        found
    }
}

fn table(connection: &Connection, name: &str) -> Vec<String> {
    let applied_at = |column: &str| name.contains("migration") && column.ends_with("_at");
    let mut select = connection.prepare(&format!("select * from {name}")).unwrap();
    let columns: Vec<String> = select.column_names().map(str::to_owned).collect();
    let mut rows = select.query([]).unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let mut line = String::new();
        for (index, column) in columns.iter().enumerate().filter(|(_, column)| !applied_at(column)) {
            let value = match row.get_ref(index).unwrap() {
                ValueRef::Null => "null".to_owned(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => format!("{bytes:02x?}"),
                },
            };
            line.push_str(&format!("{column}={value}|"));
        }
        lines.push(line);
    }
    lines.sort();
    lines
}

/// Two dumps must be the same; says in which table and row they part.
#[track_caller]
pub(crate) fn assert_same(found: &BTreeMap<String, Vec<String>>, expected: &BTreeMap<String, Vec<String>>, when: &str) {
    let mut parted = String::new();
    for (table, rows) in expected {
        let here = found.get(table).map(Vec::as_slice).unwrap_or_default();
        if here == rows.as_slice() {
            continue;
        }
        let only = |one: &[String], other: &[String]| {
            one.iter().filter(|row| other.binary_search(row).is_err()).take(2).cloned().collect::<Vec<_>>()
        };
        let (more, less) = (only(here, rows), only(rows, here));
        parted.push_str(&format!(
            "\n{table}: {} rows, expected {}\n  only here: {more:#?}\n  missing: {less:#?}",
            here.len(),
            rows.len()
        ));
    }
    assert!(parted.is_empty(), "{when}: the stores differ{parted}");
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{when}: tables");
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The archive of the demo day.
pub(crate) fn day_archive() -> PathBuf {
    repository().join("demo/day.tar.xz")
}

/// The demo day as a folder. Shared: never write into it.
pub(crate) fn day() -> PathBuf {
    prepared("day", &stamp(&[&day_archive()]), |folder| unpack(&day_archive(), folder))
}

/// A copy of the demo day to write into.
pub(crate) fn own_day() -> TempDir {
    let copy = scratch();
    copy_folder(&day(), copy.path());
    copy
}

/// An empty folder on the disk of the build, removed with its owner.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// What the demo day's truth says, by file name.
pub(crate) fn truth() -> BTreeMap<String, Vec<BTreeMap<String, String>>> {
    let reader = lzma_rust2::XzReader::new(File::open(repository().join("demo/truth.tar.xz")).unwrap(), true);
    let mut archive = tar::Archive::new(reader);
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".csv") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let rows = csv::Reader::from_reader(bytes.as_slice()).deserialize().collect::<Result<_, _>>().unwrap();
            files.insert(name, rows);
        }
    }
    files
}

/// A store with the demo day in it, made once by the binary under test. Shared: copy it before writing into it.
fn shared_store() -> PathBuf {
    let key = stamp(&[&day_archive(), Path::new(env!("CARGO_BIN_EXE_onus"))]);
    let day = day();
    prepared("store", &key, |folder| {
        let store = folder.to_str().unwrap();
        onus(["import", day.to_str().unwrap(), "--store", store, "--as-of", AS_OF]).expect_code(0);
    })
}

/// A folder made once for all test processes, and again when `key` changes.
fn prepared(name: &str, key: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = place.join(name);
    let mut lock = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(place.join(format!("{name}.lock")))
        .unwrap();
    lock.lock().unwrap();
    let mut made = String::new();
    lock.read_to_string(&mut made).unwrap();
    if made != key || !folder.is_dir() {
        lock.set_len(0).unwrap();
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        make(&folder);
        std::io::Seek::rewind(&mut lock).unwrap();
        lock.write_all(key.as_bytes()).unwrap();
    }
    folder
}

/// Changes when one of the files does.
fn stamp(files: &[&Path]) -> String {
    let one = |path: &&Path| {
        let meta = fs::metadata(path).unwrap();
        let changed = meta.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
        format!("{} {} {}", path.display(), meta.len(), changed.as_nanos())
    };
    files.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn unpack(archive: &Path, folder: &Path) {
    let reader = lzma_rust2::XzReader::new(File::open(archive).unwrap(), true);
    tar::Archive::new(reader).unpack(folder).unwrap();
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for path in files_below(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, &target).unwrap();
    }
}

/// Files of a folder and its folders, sorted. A file or folder that goes away meanwhile is left out.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}
