//! Tenants (an acquirer each) and settings of the whole store.

use crate::{StoreError, Tx, values};

/// An acquirer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantRow {
    /// Short name used in every key.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// ISO 4217 code of all its amounts.
    pub currency: String,
    /// IANA time zone of its business time.
    pub zone: String,
}

/// Adds a tenant, or changes its name, currency and zone.
pub fn put(tx: &mut Tx<'_>, tenant: &TenantRow) -> Result<(), StoreError> {
    tx.execute(
        "insert into tenants (id, name, currency, zone) values ($1, $2, $3, $4) \
         on conflict (id) do update set name = excluded.name, currency = excluded.currency, zone = excluded.zone",
        values![&tenant.id, &tenant.name, &tenant.currency, &tenant.zone],
    )?;
    Ok(())
}

/// One tenant.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<TenantRow>, StoreError> {
    Ok(list(tx)?.into_iter().find(|tenant| tenant.id == id))
}

/// All tenants, by id.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<TenantRow>, StoreError> {
    tx.query_as("select id, name, currency, zone from tenants order by id", &[], |row| {
        Ok(TenantRow {
            id: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            currency: row.text(2)?.to_owned(),
            zone: row.text(3)?.to_owned(),
        })
    })
}

/// A setting of the whole store.
pub fn setting(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
    match tx.query_first("select value from settings where name = $1", values![name])? {
        Some(row) => Ok(Some(row.text(0)?.to_owned())),
        None => Ok(None),
    }
}

/// Stores a setting in place of its old value.
pub fn put_setting(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(
        "insert into settings (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value",
        values![name, value],
    )?;
    Ok(())
}
