//! `onus pack`: check, test, compare, sign and try out rule packs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use onus_evidence::{SigningKey, VerifyingKey, open_note};
use onus_liability::{
    Changed, Facts, PACK_NAMES, Pack, PackFiles, ShadowReport, Value, compare, difference, run_cases, shipped,
};

use crate::Place;
use crate::judge::{CaseLine, facts_of, lines, percent};
use crate::pack_store::{self, PackStoreCommand};

/// File of a pack's signature, beside its tables.
const SIGNATURE: &str = "pack.sig";
/// Lines of cases that are read before they are judged together.
const BATCH: usize = 50_000;

#[derive(Subcommand)]
pub(crate) enum PackCommand {
    /// Load a pack with all its proofs; name what is wrong by file, line and row.
    Check {
        /// Name of a shipped pack, or a folder.
        pack: String,
        /// Also check the signature in pack.sig by this verifying key: NAME+ID+BASE64.
        #[arg(long)]
        key: Option<String>,
    },
    /// Run the test cases that a pack carries. Exit code 3 when one fails.
    Test {
        /// Name of a shipped pack, or a folder.
        pack: String,
    },
    /// Say what differs between two packs, row by row. Exit code 3 when something does.
    Diff {
        /// Before.
        from: String,
        /// After.
        to: String,
    },
    /// Sign a pack in a folder: writes pack.sig, a signed note over the pack's id, version and hash.
    Sign {
        /// Folder of the pack.
        folder: PathBuf,
        /// File of the signing key (PRIVATE+KEY+NAME+ID+BASE64).
        #[arg(long)]
        key: PathBuf,
        /// Make the key first, with this name, if its file is not there.
        #[arg(long)]
        new_key: Option<String>,
    },
    /// Packs of a store: drafts beside the one in force, and putting them into force.
    #[command(subcommand)]
    Store(PackStoreCommand),
    /// Judge cases, or everything that a store holds, by the live pack and by a draft, and say what would change, money
    /// included. Nothing is changed.
    Shadow {
        /// The pack in force, for cases; a store knows its own.
        #[arg(long, required_unless_present = "store", conflicts_with = "store")]
        live: Option<String>,
        /// The pack to try out.
        #[arg(long, alias = "pack")]
        draft: String,
        /// Store whose verdicts are judged again, instead of cases.
        #[arg(long)]
        store: Option<PathBuf>,
        /// PostgreSQL address of the store instead of the embedded database.
        #[arg(long, requires = "store")]
        database: Option<String>,
        /// Tenant of the store.
        #[arg(long, requires = "store", default_value = "acquirer")]
        tenant: String,
        /// Cases as `onus judge` reads them; `-` is standard input. The loss is the fact event.amount.
        #[arg(default_value = "-")]
        cases: PathBuf,
        /// Also print each case that would be decided otherwise, with the old and the new outcome, for approval.
        #[arg(long)]
        list: bool,
        /// Threads.
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

/// Runs a subcommand. True when nothing was found.
pub(crate) fn run(command: &PackCommand) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match command {
        PackCommand::Check { pack, key } => check(&mut out, pack, key.as_deref()).map(|()| true),
        PackCommand::Test { pack } => test(&mut out, pack),
        PackCommand::Diff { from, to } => diff(&mut out, from, to),
        PackCommand::Sign { folder, key, new_key } => sign(&mut out, folder, key, new_key.as_deref()).map(|()| true),
        PackCommand::Store(command) => {
            drop(out);
            pack_store::run(command).map(|()| true)
        }
        PackCommand::Shadow { live, draft, store, database, tenant, cases, list, threads } => {
            let draft = load_pack(draft)?;
            if let Some(store) = store {
                let place = Place { store: store.clone(), database: database.clone(), tenant: tenant.clone() };
                return pack_store::shadow(&mut out, &place, &draft, *list, *threads).map(|()| true);
            }
            let live = live.as_deref().context("--live PACK or --store FOLDER says what is in force")?;
            shadow(&mut out, &load_pack(live)?, &draft, cases, *list, *threads).map(|()| true)
        }
    }
}

/// Loads a shipped pack by name, or a pack of a folder.
pub(crate) fn load_pack(name: &str) -> Result<Pack> {
    let texts = PackTexts::of(name)?;
    Pack::load(&texts.files()).with_context(|| format!("pack {name}"))
}

/// The files of a pack.
pub(crate) struct PackTexts {
    rules: String,
    causes: String,
    cases: String,
}

impl PackTexts {
    pub(crate) fn of(name: &str) -> Result<Self> {
        if PACK_NAMES.contains(&name) {
            let files = shipped(name)?;
            let owned = |text: &str| text.to_owned();
            return Ok(Self { rules: owned(files.rules), causes: owned(files.causes), cases: owned(files.cases) });
        }
        let folder = Path::new(name);
        let rules = fs::read_to_string(folder.join("rules.toml")).with_context(|| {
            format!("{name} is no shipped pack ({}) and no folder with rules.toml", PACK_NAMES.join(", "))
        })?;
        let optional = |file: &str| match fs::read_to_string(folder.join(file)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            read => read.with_context(|| format!("reading {}", folder.join(file).display())),
        };
        Ok(Self { rules, causes: optional("causes.toml")?, cases: optional("cases.toml")? })
    }

    pub(crate) fn files(&self) -> PackFiles<'_> {
        PackFiles { rules: &self.rules, causes: &self.causes, cases: &self.cases }
    }
}

fn check(out: &mut impl Write, name: &str, key: Option<&str>) -> Result<()> {
    let pack = load_pack(name)?;
    writeln!(out, "{} {}: {} rules, {} test cases", pack.id, pack.version, pack.rules().len(), pack.cases().len())?;
    writeln!(out, "sha256 {}", pack.sha256)?;
    writeln!(out, "no gap, no overlap of equal rank, no row that can never apply")?;
    if let Some(key) = key {
        let key: VerifyingKey = key.parse().context("--key is a verifying key: NAME+ID+BASE64")?;
        let path = Path::new(name).join(SIGNATURE);
        let note = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let signed = open_note(&note, &key).with_context(|| path.display().to_string())?;
        if signed != statement(&pack) {
            bail!("{} is a good signature over another pack:\n{signed}", path.display());
        }
        writeln!(out, "signed by {}", key.name())?;
    }
    Ok(())
}

fn test(out: &mut impl Write, name: &str) -> Result<bool> {
    let pack = load_pack(name)?;
    let results = run_cases(&pack);
    let failed = results.iter().filter(|result| !result.faults.is_empty());
    for result in failed.clone() {
        writeln!(out, "{}: {}", result.id, result.faults.join("; "))?;
    }
    let failed = failed.count();
    writeln!(out, "{} of {} cases as expected", results.len().saturating_sub(failed), results.len())?;
    Ok(failed == 0)
}

fn diff(out: &mut impl Write, from: &str, to: &str) -> Result<bool> {
    let (from, to) = (PackTexts::of(from)?, PackTexts::of(to)?);
    let found = difference(&from.files(), &to.files())?;
    for one in &found {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "(nothing)".to_owned());
        writeln!(out, "{} {} {}", one.file, one.row, one.field)?;
        writeln!(out, "  - {}\n  + {}", side(&one.was), side(&one.is))?;
    }
    writeln!(out, "{} differences", found.len())?;
    Ok(found.is_empty())
}

/// What a signature is over.
fn statement(pack: &Pack) -> String {
    format!("onus rule pack\n{}\n{}\nsha256 {}\n", pack.id, pack.version, pack.sha256)
}

fn sign(out: &mut impl Write, folder: &Path, key: &Path, new_key: Option<&str>) -> Result<()> {
    let pack = load_pack(&folder.to_string_lossy())?;
    if let Some(name) = new_key.filter(|_| !key.exists()) {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).context("no random numbers from the system")?;
        write_secret(key, &SigningKey::from_seed(name, seed)?.to_secret_text())?;
    }
    let secret =
        fs::read_to_string(key).with_context(|| format!("reading {}; --new-key NAME makes one", key.display()))?;
    let key = SigningKey::from_secret_text(secret.trim())?;
    let path = folder.join(SIGNATURE);
    fs::write(&path, key.sign_text(&statement(&pack))).with_context(|| format!("writing {}", path.display()))?;
    writeln!(out, "{} {} signed: {}\nverifying key {}", pack.id, pack.version, path.display(), key.verifying_key())?;
    Ok(())
}

fn write_secret(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("making {}", path.display()))?;
    writeln!(file, "{text}").with_context(|| format!("writing {}", path.display()))
}

fn shadow(out: &mut impl Write, live: &Pack, draft: &Pack, cases: &Path, list: bool, threads: usize) -> Result<()> {
    let mut all = ShadowReport::default();
    let mut lines = lines(cases)?;
    loop {
        let batch: Vec<String> = lines.by_ref().take(BATCH).collect::<std::io::Result<_>>()?;
        if batch.is_empty() {
            break;
        }
        let part = batch.len().div_ceil(threads.max(1));
        let judged = std::thread::scope(|scope| {
            let running: Vec<_> =
                batch.chunks(part).map(|lines| scope.spawn(move || judge_lines(live, draft, lines, list))).collect();
            running.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for one in judged {
            let Ok(judged) = one else { bail!("a thread of the shadow run ended early") };
            let (report, changed) = judged?;
            all.add(&report);
            for line in changed {
                writeln!(out, "{line}")?;
            }
        }
    }
    writeln!(out, "{}", report_json(&all))?;
    Ok(())
}

fn judge_lines(live: &Pack, draft: &Pack, lines: &[String], list: bool) -> Result<(ShadowReport, Vec<String>)> {
    let (mut report, mut listed) = (ShadowReport::default(), Vec::new());
    for line in lines.iter().filter(|line| !line.trim().is_empty()) {
        let case = CaseLine::read(line).with_context(|| format!("a case: {line}"))?;
        let id = case.id.as_str().map_or_else(|| case.id.to_string(), str::to_owned);
        let (facts, _) = facts_of(&case, &id, false);
        let changed = compare(live, draft, &facts);
        report.count(changed.as_ref(), loss_minor(&facts));
        if let Some(changed) = changed.filter(|_| list) {
            listed.push(changed_json(&id, &changed).to_string());
        }
    }
    Ok((report, listed))
}

fn loss_minor(facts: &Facts) -> i64 {
    match facts.get("event.amount").map(|fact| &fact.value) {
        Some(Value::Money { minor, .. }) => *minor,
        _ => 0,
    }
}

pub(crate) fn changed_json(id: &str, changed: &Changed) -> serde_json::Value {
    let side = |decided: &onus_liability::Decided| {
        serde_json::json!({
            "rule": decided.rule, "abstain": decided.abstains, "shares": percent(&decided.shares, |party| party.to_string()),
            "outward": decided.outward, "agent": decided.agent_basis,
        })
    };
    serde_json::json!({"id": id, "live": side(&changed.live), "draft": side(&changed.draft)})
}

pub(crate) fn report_json(report: &ShadowReport) -> serde_json::Value {
    let rules: Vec<_> = report
        .by_rule
        .iter()
        .map(|((live, draft), moved)| {
            serde_json::json!({"live": live, "draft": draft, "cases": moved.cases, "loss_minor": moved.loss_minor})
        })
        .collect();
    serde_json::json!({
        "cases": report.cases, "changed": report.changed, "agents_newly_charged": report.agents_newly_charged,
        "by_rule": rules, "bears_more_minor": report.by_party,
    })
}
