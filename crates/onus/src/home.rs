//! Where an installation keeps its data: database, vault, signing key, tenant.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use onus_evidence::SigningKey;
use onus_model::{Instant, Zone};
use onus_store::Store;
use onus_store::tenants::TenantRow;
use onus_store::vault::Vault;

use crate::Place;

/// An installation, opened.
pub(crate) struct Home {
    folder: PathBuf,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) key: SigningKey,
    pub(crate) tenant: TenantRow,
}

impl Home {
    /// Opens an installation, making what is not there yet.
    pub(crate) fn open(place: &Place) -> Result<Self> {
        fs::create_dir_all(&place.store)
            .with_context(|| format!("could not make the folder {}", place.store.display()))?;
        let file = place.store.join("onus.db");
        let address = place.database.clone().unwrap_or_else(|| format!("sqlite:{}", file.display()));
        let store = Store::open(&address).with_context(|| "could not open the store")?;
        let vault = Vault::open(place.store.join("vault"))?;
        let key = signing_key(&place.store, &place.tenant)?;
        let known = store.read(|tx| onus_store::tenants::by_id(tx, &place.tenant))?;
        let tenant = match known {
            Some(tenant) => tenant,
            None => {
                let tenant = TenantRow {
                    id: place.tenant.clone(),
                    name: place.tenant.clone(),
                    currency: "CNY".to_owned(),
                    zone: "Asia/Shanghai".to_owned(),
                };
                store.write(|tx| onus_store::tenants::put(tx, &tenant))?;
                tenant
            }
        };
        Ok(Self { folder: place.store.clone(), store, vault, key, tenant })
    }

    /// Waits until no other process imports into this installation. The lock goes with the file.
    pub(crate) fn lock_imports(&self) -> Result<File> {
        let path = self.folder.join("import.lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.with_context(|| format!("could not open {}", path.display()))?;
        file.lock().with_context(|| format!("could not lock {}", path.display()))?;
        Ok(file)
    }

    /// The tenant's zone.
    pub(crate) fn zone(&self) -> Result<Zone> {
        Zone::named(&self.tenant.zone).map_err(|error| anyhow!("tenant {}: {error}", self.tenant.id))
    }
}

/// The key that signs the evidence log, made on first use and readable by its owner only.
fn signing_key(folder: &Path, tenant: &str) -> Result<SigningKey> {
    let path = folder.join(format!("{tenant}.evidence.key"));
    if let Ok(text) = fs::read_to_string(&path) {
        return SigningKey::from_secret_text(text.trim())
            .with_context(|| format!("{} holds no signing key", path.display()));
    }
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("no randomness for a signing key: {error}"))?;
    let key = SigningKey::from_seed(&format!("onus/{tenant}"), seed)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(|| format!("could not write {}", path.display()))?;
    file.write_all(key.to_secret_text().as_bytes())?;
    file.sync_all()?;
    Ok(key)
}

/// Now, by the machine's clock.
pub(crate) fn now() -> Instant {
    Instant(jiff::Timestamp::now().as_microsecond())
}

/// A time given on the command line.
pub(crate) fn as_of(text: Option<&str>) -> Result<Option<Instant>> {
    text.map(|text| Instant::parse(text).map_err(|error| anyhow!("--as-of: {error}"))).transpose()
}
