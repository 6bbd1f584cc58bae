//! A throw-away PostgreSQL from the machine's own binaries.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

use crate::Store;

/// A PostgreSQL store in a database of its own.
#[derive(Debug)]
pub struct PostgresDb {
    /// The store, migrated and empty.
    pub store: Store,
    /// How to open it again.
    pub location: String,
}

/// The cluster of this process. Its script waits on the input it holds, and ends with it.
#[derive(Debug)]
struct Cluster {
    socket_folder: String,
    _script: Child,
}

pub(super) fn new_database() -> PostgresDb {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static N_DATABASES: AtomicU32 = AtomicU32::new(0);

    let cluster = CLUSTER.get_or_init(start);
    let name = format!("t{}", N_DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut admin = Client::connect(&cluster.location("postgres"), NoTls).expect("the throw-away cluster answers");
    admin.batch_execute(&format!("create database {name}")).expect("a new database");
    let location = cluster.location(&name);
    let store = Store::open(&location).expect("a new PostgreSQL store");
    PostgresDb { store, location }
}

impl Cluster {
    fn location(&self, database: &str) -> String {
        format!("postgres://onus@{}/{database}", self.socket_folder.replace('/', "%2F"))
    }
}

fn start() -> Cluster {
    let bin = find_binaries().unwrap_or_else(|| {
        panic!("no PostgreSQL server on this machine; run `cargo xtask test`, which installs the Debian package")
    });
    let mut command = unprivileged("sh");
    let base = std::env::temp_dir().join(format!("onus-test-postgres-{}", user_name()));
    let mut script = command
        .args(["-c", include_str!("cluster.sh"), "cluster.sh"])
        .args([&bin, &base])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped()) // test runners wait for whoever holds theirs
        .process_group(0) // an interrupt from the keyboard ends the tests, and then the script cleans up
        .spawn()
        .expect("a shell for the throw-away PostgreSQL");
    let mut socket_folder = String::new();
    let stdout = script.stdout.take().expect("the script's output");
    BufReader::new(stdout).read_line(&mut socket_folder).expect("the script tells where its socket is");
    let socket_folder = socket_folder.trim().to_owned();
    if socket_folder.is_empty() {
        let mut errors = String::new();
        let mut stderr = script.stderr.take().expect("the script's errors");
        let _ = stderr.read_to_string(&mut errors);
        panic!("the throw-away PostgreSQL of {} did not start: {errors}", bin.display());
    }
    Cluster { socket_folder, _script: script }
}

/// The newest of Debian's versions, or the one that `pg_config` tells of.
fn find_binaries() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| has_server(bin))
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin).or_else(|| {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        let bin = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        has_server(&bin).then_some(bin)
    })
}

fn has_server(bin: &Path) -> bool {
    ["postgres", "initdb", "pg_ctl"].iter().all(|program| bin.join(program).exists())
}

/// PostgreSQL refuses to run as root, so root hands it to the user that the Debian package makes.
fn unprivileged(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", program]);
    command
}

fn is_root() -> bool {
    id(&["-u"]) == "0"
}

fn user_name() -> String {
    if is_root() { "postgres".into() } else { id(&["-un"]) }
}

fn id(args: &[&str]) -> String {
    let output = Command::new("id").args(args).output().expect("the `id` program");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
