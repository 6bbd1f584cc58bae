//! The one binary of Onus: command line, configuration, wiring of roles.
#![expect(clippy::print_stdout, reason = "a command line prints")]

mod alarms;
mod breaks;
mod decisions;
mod demo;
mod demo_live;
mod episodes;
mod expectations;
mod explain;
mod gateway;
mod gateway_registers;
mod gateway_status;
mod home;
mod import;
mod iso;
mod judge;
mod localise;
mod monitoring;
mod pack;
mod pack_store;
mod reconcile;
mod report;
mod serve;
mod watch;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use onus_store::Scope;
use onus_worker::ExportKind;

use crate::home::Home;

/// Verdicts are many small texts: the system allocator spends more time and memory on them (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Nothing is wrong.
const OK: u8 = 0;
/// The command failed.
const FAILED: u8 = 1;
/// The command worked and found something wrong (faults in the evidence).
const FINDINGS: u8 = 3;

#[derive(Parser)]
#[command(
    name = "onus",
    version,
    about = "Who bears it? For every POS payment that did not end as it should.",
    after_help = "Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 something was found (verify, reconcile, iso)."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Where data live.
#[derive(Args, Clone)]
struct Place {
    /// Folder of the database, the vault of sealed files and the signing key.
    #[arg(long, env = "ONUS_STORE", default_value = "./onus-data")]
    store: PathBuf,
    /// PostgreSQL address instead of the embedded database, such as postgres://user@host/db.
    #[arg(long, env = "ONUS_DATABASE")]
    database: Option<String>,
    /// Tenant (acquirer) to work for.
    #[arg(long, env = "ONUS_TENANT", default_value = "acquirer")]
    tenant: String,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Language {
    Zh,
    En,
}

#[derive(Clone, Copy, ValueEnum)]
enum Exported {
    Exceptions,
    Breaks,
    Terminals,
    Episodes,
    Patterns,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Format {
    Table,
    Json,
    Jsonl,
}

/// What a process does.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Role {
    All,
    Server,
    Gateway,
}

#[derive(Subcommand)]
enum GatewayCommand {
    /// Print what each gateway said last.
    Status {
        #[command(flatten)]
        place: Place,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the console, or run the gateway, or both.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Address to listen on.
        #[arg(long, env = "ONUS_LISTEN", default_value = "127.0.0.1:8787")]
        listen: std::net::SocketAddr,
        /// Show everything as of this time (RFC 3339) instead of now.
        #[arg(long)]
        as_of: Option<String>,
        /// Send the session cookie over HTTPS only.
        #[arg(long, env = "ONUS_COOKIE_SECURE")]
        cookie_secure: bool,
        /// What this process is: server (API and console), gateway (between terminals and hosts), or all. All when
        /// --config is given, else server.
        #[arg(long, value_enum, env = "ONUS_ROLE")]
        role: Option<Role>,
        /// Configuration of the gateway, such as docs/examples/gateway.toml.
        #[arg(long, env = "ONUS_GATEWAY_CONFIG")]
        config: Option<PathBuf>,
        /// Let so many seconds pass for each one, from --as-of on; for tests.
        #[arg(long, hide = true, default_value_t = 1)]
        clock_speed: u32,
        /// Leave closed segments of the gateway's journal for `onus import` instead of importing them here.
        #[arg(long)]
        no_import: bool,
    },
    /// Import the demo day, serve it on loopback and say what to look at.
    Demo {
        /// Folder of the demo's data; made anew when it is not there.
        #[arg(long, env = "ONUS_DEMO_STORE", default_value = "./onus-demo")]
        store: PathBuf,
        /// Port on loopback; 0 takes a free one.
        #[arg(long, default_value_t = 8787)]
        port: u16,
        /// Import only, do not serve.
        #[arg(long)]
        import_only: bool,
        /// No live traffic beside the imported day.
        #[arg(long)]
        no_live: bool,
    },
    /// Gateways of this installation.
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Import a folder of files, or a .tar.xz of one; what is known already is left alone.
    Import {
        /// Folder or archive.
        from: PathBuf,
        #[command(flatten)]
        place: Place,
        /// Judge as of this time (RFC 3339) instead of now.
        #[arg(long)]
        as_of: Option<String>,
        /// How to print the outcome.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// List rows that were refused, with file, line or offset, field and reason.
    Rejects {
        #[command(flatten)]
        place: Place,
        /// Only of the file with this name or hash.
        #[arg(long)]
        file: Option<String>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print exceptions, breaks, terminals or episodes as JSON lines.
    Export {
        /// What to print.
        what: Exported,
        #[command(flatten)]
        place: Place,
        /// Only jsonl for now.
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
    /// Check the evidence log, the verdict table and the ledger, offline. Exit code 3 when something is wrong.
    Verify {
        #[command(flatten)]
        place: Place,
        /// Key to check signatures with; the store's own otherwise.
        #[arg(long)]
        key: Option<String>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Tell one payment's story in words.
    Explain {
        /// DATE.TERMINAL.BATCH.TRACE, as in exports and the console.
        key: String,
        #[command(flatten)]
        place: Place,
        /// Language.
        #[arg(long, value_enum, default_value_t = Language::Zh)]
        lang: Language,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// List what must still come for payments, what is overdue and what came late, first due first.
    Expectations(Box<expectations::ExpectationsArgs>),
    /// List what failed together, or replay files and say when each episode would have been seen.
    Episodes(Box<episodes::EpisodesArgs>),
    /// Put the files of a settlement day side by side and write what differs; needs no server. Exit code 3 when
    /// something differs.
    Reconcile(Box<reconcile::ReconcileArgs>),
    /// Which combination of attributes explains the failure: scopes from a CSV file, or a folder of them.
    Localise(Box<localise::LocaliseArgs>),
    /// Breaks of the store: list them, and propose, approve and act to resolve them.
    #[command(subcommand)]
    Breaks(breaks::BreaksCommand),
    /// Messages of ISO 8583: read, write, compare, mask, send, and find out their dialect.
    #[command(subcommand)]
    Iso(iso::IsoCommand),
    /// Say who bears it for facts given as JSON lines; needs no store.
    Judge(judge::JudgeArgs),
    /// Limits of packs: which need two people before software acts on them, and their verification.
    #[command(subcommand)]
    Limits(decisions::LimitsCommand),
    /// Verdicts that would be others today: list them, and decide about each with two people.
    #[command(subcommand)]
    Rejudge(decisions::RejudgeCommand),
    /// Ratios of the networks' monitoring programmes: where the month stands and where it will end.
    Monitoring(monitoring::MonitoringArgs),
    /// Rule packs: check, test, compare, sign, try out a draft, and put it into force.
    #[command(subcommand)]
    Pack(pack::PackCommand),
    /// Add a user; the password is read from ONUS_PASSWORD.
    User {
        /// Name to sign in with.
        username: String,
        #[command(flatten)]
        place: Place,
        /// administrator, operator, reviewer or agent.
        #[arg(long, default_value = "operator")]
        role: String,
        /// For role agent: root of the subtree it may see.
        #[arg(long)]
        agent: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // The reader of a pipe that went away (`onus export … | head`) is no failure of ours.
            let closed = error
                .chain()
                .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
                .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe);
            if closed {
                return ExitCode::from(OK);
            }
            let _ = writeln!(std::io::stderr(), "onus: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(cli: Cli) -> Result<u8> {
    match cli.command {
        Command::Serve { place, listen, as_of, cookie_secure, role, config, clock_speed, no_import } => {
            let role = role.unwrap_or(if config.is_some() { Role::All } else { Role::Server });
            let as_of = home::as_of(as_of.as_deref())?;
            let clock = serve::clock(as_of, clock_speed);
            let gateway = serve::gateway(role, config.as_deref(), &clock, !no_import)?;
            let home = Arc::new(Home::open(&place)?);
            match role {
                Role::Gateway => serve::gateway_alone(&home, gateway)?,
                Role::All | Role::Server => {
                    serve::serve(&home, gateway, listen, (as_of, clock), cookie_secure, |_| {})?;
                }
            }
            Ok(OK)
        }
        Command::Gateway(GatewayCommand::Status { place, format }) => {
            gateway::print_status(&Home::open(&place)?, format).map(|()| OK)
        }
        Command::Demo { store, port, import_only, no_live } => {
            demo::demo(store, port, import_only, !no_live).map(|()| OK)
        }
        Command::Import { from, place, as_of, format } => {
            let home = Home::open(&place)?;
            let now = home::as_of(as_of.as_deref())?.unwrap_or_else(home::now);
            let report = import::import(&home, &from, now, format != Format::Table)?;
            report::import(&report, format)?;
            Ok(if report.nothing_read() { FAILED } else { OK })
        }
        Command::Rejects { place, file, format } => {
            report::rejects(&Home::open(&place)?, file.as_deref(), format).map(|()| OK)
        }
        Command::Export { what, place, format: _ } => {
            let home = Home::open(&place)?;
            let kind = match what {
                Exported::Exceptions => ExportKind::Exceptions,
                Exported::Breaks => ExportKind::Breaks,
                Exported::Terminals => ExportKind::Terminals,
                Exported::Episodes => ExportKind::Episodes,
                Exported::Patterns => ExportKind::Patterns,
            };
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            onus_worker::export(&home.store, &Scope::all(&home.tenant.id), &home.zone()?, kind, &mut out)?;
            out.flush()?;
            Ok(OK)
        }
        Command::Verify { place, key, format } => {
            let home = Home::open(&place)?;
            let key = key
                .map_or_else(|| Ok(home.key.verifying_key()), |text| text.parse())
                .context("--key is a verifying key: NAME+ID+BASE64")?;
            let found = onus_worker::verify(&home.store, &home.tenant.id, &key)?;
            report::verify(&found, format)?;
            Ok(if found.is_sound() { OK } else { FINDINGS })
        }
        Command::Explain { key, place, lang, format } => {
            explain::explain(&Home::open(&place)?, &key, lang, format).map(|()| OK)
        }
        Command::Expectations(args) => expectations::list(&args).map(|()| OK),
        Command::Episodes(args) => episodes::episodes(&args).map(|()| OK),
        Command::Reconcile(args) => Ok(if reconcile::reconcile(&args)?.found { FINDINGS } else { OK }),
        Command::Localise(args) => localise::localise(&args).map(|()| OK),
        Command::Breaks(command) => breaks::run(command).map(|()| OK),
        Command::Limits(command) => decisions::limits(command).map(|()| OK),
        Command::Rejudge(command) => decisions::rejudge(command).map(|()| OK),
        Command::Monitoring(args) => monitoring::run(&args).map(|()| OK),
        Command::Iso(command) => iso::run(command),
        Command::Pack(command) => Ok(if pack::run(&command)? { OK } else { FINDINGS }),
        Command::Judge(args) => Ok(if judge::run(&args)? { OK } else { FAILED }),
        Command::User { username, place, role, agent } => {
            let home = Home::open(&place)?;
            let password = std::env::var("ONUS_PASSWORD")
                .context("give the password in the environment variable ONUS_PASSWORD")?;
            serve::add_user(&home, &username, &password, &role, agent.as_deref())?;
            println!("user {username} added with role {role}");
            Ok(OK)
        }
    }
}
