//! Sealed files and the rows of them that were refused.

use crate::record::{self, Existing, Record, record};
use crate::scope::Filter;
use crate::{Page, PageRequest, Scope, StoreError, Tx, Value, values};

record! {
    /// A sealed file.
    pub struct FileRow in "files" keys(id) {
        /// SHA-256 of the file as it came, hex.
        pub id: String,
        /// Short number of the file in this store, used in payment refs.
        pub seq: i64,
        /// File name as it came.
        pub name: String,
        /// What it holds: `journal`, `switch`, `clearing-zm`, `registry/...`
        pub kind: String,
        /// Layout or dialect that read it, with version.
        pub layout: String,
        /// Bytes as it came.
        pub size: i64,
        /// Rows read.
        pub rows_total: i64,
        /// Rows that became observations.
        pub rows_accepted: i64,
        /// Rows refused.
        pub rows_rejected: i64,
        /// Earliest business time in it.
        pub first_at: Option<i64>,
        /// Latest business time in it.
        pub last_at: Option<i64>,
        /// SHA-256 of the masked copy that is kept.
        pub sealed_sha256: String,
        /// Where the masked copy is, below the vault folder.
        pub sealed_path: String,
        /// When it was imported.
        pub imported_at: i64,
        /// When verdicts had used it; none while it is only durable.
        pub judged_at: Option<i64>,
    }
}

record! {
    /// A row that was refused.
    pub struct RejectRow in "rejects" keys(file_id, seq) {
        /// `files.id`
        pub file_id: String,
        /// Number of the refusal within its file.
        pub seq: i64,
        /// Line from 1, in files that have lines.
        pub line: Option<i64>,
        /// First byte of the row.
        pub byte_offset: i64,
        /// Bytes of the row.
        pub length: i64,
        /// Field that was wrong, or empty.
        pub field: String,
        /// Stable code of the reason.
        pub code: String,
        /// Reason in words.
        pub detail: String,
    }
}

/// A refused row with the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectItem {
    /// The refusal.
    pub reject: RejectRow,
    /// Name of its file.
    pub file_name: String,
}

/// Stores files; a file that is known already is left as it is.
pub fn insert<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    files: impl IntoIterator<Item = &'r FileRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, files)
}

/// Stores refused rows; those known already are left as they are.
pub fn insert_rejects<'r>(
    tx: &mut Tx<'_>,
    tenant: &str,
    rejects: impl IntoIterator<Item = &'r RejectRow>,
) -> Result<u64, StoreError> {
    record::insert(tx, tenant, Existing::Keep, rejects)
}

/// The number for the next file.
pub fn next_seq(tx: &mut Tx<'_>, tenant: &str) -> Result<i64, StoreError> {
    let row = tx.query_first("select coalesce(max(seq), 0) + 1 from files where tenant = $1", values![tenant])?;
    row.map_or(Ok(1), |row| row.int(0))
}

/// Files that are durable but not judged yet, in the order they came.
pub fn unjudged(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<FileRow>, StoreError> {
    let sql = format!(
        "select {} from files f where f.tenant = $1 and f.judged_at is null order by f.seq",
        FileRow::columns_of("f")
    );
    tx.query_as(&sql, values![tenant], |row| FileRow::read(row, 0))
}

/// Notes that verdicts have used all files up to number `seq`.
pub fn mark_judged(tx: &mut Tx<'_>, tenant: &str, seq: i64, at: i64) -> Result<u64, StoreError> {
    tx.execute(
        "update files set judged_at = $3 where tenant = $1 and seq <= $2 and judged_at is null",
        values![tenant, seq, at],
    )
}

/// One file by the hash of its content. Agents see no files.
pub fn by_id(tx: &mut Tx<'_>, scope: &Scope, id: &str) -> Result<Option<FileRow>, StoreError> {
    let mut filter = Filter::whole_tenant(scope, "f");
    filter.and_value("f.id =", id);
    Ok(select(tx, &filter)?.pop())
}

/// All files, in the order they came. Agents see no files.
pub fn list(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<FileRow>, StoreError> {
    select(tx, &Filter::whole_tenant(scope, "f"))
}

/// The files that a payment's refs name. The caller has the refs from a payment within its scope.
pub(crate) fn by_seqs(tx: &mut Tx<'_>, scope: &Scope, seqs: &[u32]) -> Result<Vec<FileRow>, StoreError> {
    let mut filter = Filter::of_tenant(scope, "f");
    let marks = filter.bind_list(seqs.iter().map(|&seq| Value::from(seq)));
    filter.and(format!("f.seq in {marks}"));
    select(tx, &filter)
}

fn select(tx: &mut Tx<'_>, filter: &Filter<'_>) -> Result<Vec<FileRow>, StoreError> {
    let sql = format!("select {} from files f {} order by f.seq", FileRow::columns_of("f"), filter.clause());
    tx.query_as(&sql, filter.values(), |row| FileRow::read(row, 0))
}

/// Refused rows of all files or of one, in the order of files and rows. Agents see none.
pub fn rejects(
    tx: &mut Tx<'_>,
    scope: &Scope,
    file_id: Option<&str>,
    request: &PageRequest,
) -> Result<Page<RejectItem>, StoreError> {
    const LIST: &str = "rejects";
    let mut filter = Filter::whole_tenant(scope, "r");
    filter.and_some("r.file_id =", file_id);
    filter.and_seek("f.seq, r.seq", ">", request.seek(LIST, 2)?);
    let limit = filter.bind(request.fetch_limit());
    let sql = format!(
        "select {}, f.name, f.seq from rejects r join files f on f.tenant = r.tenant and f.id = r.file_id {} \
         order by f.seq, r.seq limit {limit}",
        RejectRow::columns_of("r"),
        filter.clause()
    );
    let n_columns = RejectRow::COLUMNS.len();
    let items = tx.query_as(&sql, filter.values(), |row| {
        let item = RejectItem { reject: RejectRow::read(row, 0)?, file_name: row.text(n_columns)?.to_owned() };
        Ok((item, row.int(n_columns + 1)?))
    })?;
    let page = request.page(LIST, items, |(item, file_seq)| vec![Value::from(*file_seq), Value::from(item.reject.seq)]);
    Ok(page.map(|(item, _)| item))
}
