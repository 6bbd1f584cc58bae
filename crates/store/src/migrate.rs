//! The schema: numbered scripts inside the program, each run once, in one transaction, and never changed after.

use base16ct::lower::encode_string as hex;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::store::{Engine, Store};
use crate::tx::Tx;
use crate::values;

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    number: i64,
    name: &'static str,
    script: Script,
}

/// Where the dialects differ a step has two scripts.
#[derive(Debug, Clone, Copy)]
enum Script {
    Common(&'static str),
    Dialects { sqlite: &'static str, postgres: &'static str },
}

impl Migration {
    fn script(&self, engine: Engine) -> &'static str {
        match (self.script, engine) {
            (Script::Common(sql), _) => sql,
            (Script::Dialects { sqlite, .. }, Engine::Sqlite) => sqlite,
            (Script::Dialects { postgres, .. }, Engine::Postgres) => postgres,
        }
    }
}

/// All steps, in order. A step that has been released is never edited: its checksum is in every store.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "spine", script: Script::Common(include_str!("../migrations/common/0001_spine.sql")) },
    Migration {
        number: 2,
        name: "append_only",
        script: Script::Dialects {
            sqlite: include_str!("../migrations/sqlite/0002_append_only.sql"),
            postgres: include_str!("../migrations/postgres/0002_append_only.sql"),
        },
    },
    Migration {
        number: 3,
        name: "statistics",
        script: Script::Dialects { sqlite: include_str!("../migrations/sqlite/0003_statistics.sql"), postgres: "" },
    },
    Migration {
        number: 4,
        name: "gateway",
        script: Script::Common(include_str!("../migrations/common/0004_gateway.sql")),
    },
    Migration {
        number: 5,
        name: "expectations",
        script: Script::Common(include_str!("../migrations/common/0005_expectations.sql")),
    },
    Migration {
        number: 6,
        name: "resolutions",
        script: Script::Common(include_str!("../migrations/common/0006_resolutions.sql")),
    },
    Migration {
        number: 7,
        name: "account_changes",
        script: Script::Common(include_str!("../migrations/common/0007_account_changes.sql")),
    },
    Migration {
        number: 8,
        name: "dual_control",
        script: Script::Common(include_str!("../migrations/common/0008_dual_control.sql")),
    },
    Migration {
        number: 9,
        name: "detection",
        script: Script::Common(include_str!("../migrations/common/0009_detection.sql")),
    },
];

/// Brings the schema of `store` up to `migrations`. Safe when several processes start at once.
pub(crate) fn run(store: &Store, migrations: &[Migration]) -> Result<(), StoreError> {
    if store.read(|tx| is_current(tx, store.engine(), migrations)).unwrap_or(false) {
        return Ok(());
    }
    store.write(|tx| {
        lock(tx, store.engine())?;
        tx.execute_script(
            "create table if not exists migrations (number bigint primary key, name text not null, sha256 text not null)",
        )
    })?;
    for migration in migrations {
        store.write(|tx| {
            lock(tx, store.engine())?;
            apply(tx, store.engine(), migration)
        })?;
    }
    store.read(|tx| refuse_newer(tx, migrations))
}

/// One process migrates at a time. SQLite has one writer anyway.
fn lock(tx: &mut Tx<'_>, engine: Engine) -> Result<(), StoreError> {
    match engine {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => tx.execute_script("select pg_advisory_xact_lock(79110117)"),
    }
}

/// Fails, and so gives false, in a store without any schema.
fn is_current(tx: &mut Tx<'_>, engine: Engine, migrations: &[Migration]) -> Result<bool, StoreError> {
    let applied =
        tx.query_as("select sha256 from migrations order by number", &[], |row| Ok(row.text(0)?.to_owned()))?;
    Ok(applied.iter().eq(migrations
        .iter()
        .map(|migration| checksum(migration.script(engine)))
        .collect::<Vec<_>>()
        .iter()))
}

fn apply(tx: &mut Tx<'_>, engine: Engine, migration: &Migration) -> Result<(), StoreError> {
    let sql = migration.script(engine);
    let sha256 = checksum(sql);
    let stored = tx.query_first("select sha256 from migrations where number = $1", values![migration.number])?;
    match stored {
        Some(row) if row.text(0)? == sha256 => Ok(()),
        Some(_) => Err(StoreError::Migration {
            number: migration.number,
            detail: format!(
                "the store was made with another text of `{}`; use the program that made it, or export and import anew",
                migration.name
            ),
        }),
        None => {
            match engine {
                Engine::Sqlite => tx.execute_script(sql)?,
                Engine::Postgres => tx.execute_script(&for_postgres(sql))?,
            }
            tx.execute(
                "insert into migrations (number, name, sha256) values ($1, $2, $3)",
                values![migration.number, migration.name, sha256],
            )?;
            Ok(())
        }
    }
}

fn refuse_newer(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<(), StoreError> {
    let known = migrations.last().map_or(0, |migration| migration.number);
    match tx.query_first("select number, name from migrations where number > $1 order by number", values![known])? {
        None => Ok(()),
        Some(row) => Err(StoreError::Migration {
            number: row.int(0)?,
            detail: format!(
                "`{}` is unknown here: the store was made by a newer program; install that version",
                row.text(1)?
            ),
        }),
    }
}

fn checksum(sql: &str) -> String {
    hex(&Sha256::digest(sql.as_bytes()))
}

/// PostgreSQL's names for the portable types. Text is ordered by code point, as SQLite does,
/// and not by the language of the server.
fn for_postgres(sql: &str) -> String {
    sql.lines().map(line_for_postgres).collect::<Vec<_>>().join("\n")
}

fn line_for_postgres(line: &str) -> String {
    let code = line.split("--").next().unwrap_or_default().trim_end();
    let mut words: Vec<String> = code.split(' ').map(str::to_owned).collect();
    for word in &mut words {
        match word.trim_end_matches([',', ')']) {
            "blob" => *word = word.replacen("blob", "bytea", 1),
            "text" => *word = word.replacen("text", "text collate \"C\"", 1),
            _ => {}
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn every_script_of_the_folders_is_listed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        for (folder, engines) in [
            ("common", &[Engine::Sqlite, Engine::Postgres][..]),
            ("sqlite", &[Engine::Sqlite]),
            ("postgres", &[Engine::Postgres]),
        ] {
            for file in std::fs::read_dir(root.join(folder)).unwrap() {
                let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
                for &engine in engines {
                    assert!(
                        MIGRATIONS.iter().any(|migration| migration.script(engine) == text),
                        "{folder}: {text:.80}"
                    );
                }
            }
        }
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    }

    #[test]
    fn types_are_rewritten_for_postgres_but_names_and_comments_are_not() {
        let cases = [
            ("  refs blob not null, -- a blob", "  refs bytea not null,"),
            ("  name text primary key,", "  name text collate \"C\" primary key,"),
            ("  a text,", "  a text collate \"C\","),
            ("  blob_text bigint", "  blob_text bigint"),
        ];
        for (from, to) in cases {
            assert_eq!(line_for_postgres(from), to);
        }
    }

    #[test]
    fn a_changed_or_newer_script_is_refused() {
        let db = testing::sqlite();
        let changed = [Migration { script: Script::Common("select 1;"), ..MIGRATIONS[0] }];
        let error = run(&db.store, &changed).unwrap_err();
        assert!(matches!(error, StoreError::Migration { number: 1, .. }), "{error}");
        let error = run(&db.store, &MIGRATIONS[..1]).unwrap_err();
        assert!(matches!(error, StoreError::Migration { number: 2, .. }), "{error}");
    }

    #[test]
    fn a_failing_script_leaves_nothing_behind() {
        let db = testing::sqlite();
        let mut steps = MIGRATIONS.to_vec();
        let number = steps.len() as i64 + 1;
        let script = Script::Common("create table half (a bigint); insert into nowhere values (1);");
        steps.push(Migration { number, name: "half", script });
        run(&db.store, &steps).unwrap_err();
        assert!(db.store.read(|tx| tx.query("select a from half", &[])).is_err());
        run(&db.store, MIGRATIONS).unwrap();
    }
}
