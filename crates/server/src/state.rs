//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use onus_casework::resolution::ResolutionPack;
use onus_evidence::VerifyingKey;
use onus_store::audit::AuditRow;
use onus_store::vault::Vault;
use onus_store::{Store, StoreError, Tx, Writer};
use tokio::sync::Semaphore;

use crate::accounts::random_hex;
use crate::api::packs::Shadows;
use crate::audit_trail::{Act, AuditTrail};
use crate::problem::Problem;
use crate::proofs::Proofs;
use crate::stories::StoryShelf;
use crate::throttle::Throttle;
use crate::{ServerConfig, ServerError};

const WRITES_PER_GROUP: usize = 256;
/// Each password check takes 19 MiB and a core.
const PASSWORD_CHECKS_AT_ONCE: usize = 2;

/// What all requests share. Clones are the same state.
#[derive(Debug, Clone)]
pub struct ServerState {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: ServerConfig,
    key: VerifyingKey,
    resolutions: ResolutionPack,
    store: Store,
    vault: Vault,
    writer: Writer,
    audit: AuditTrail,
    n_acts: AtomicU64,
    throttle: Throttle,
    password_checks: Semaphore,
    proofs: Proofs,
    stories: StoryShelf,
    shadows: Shadows,
}

impl ServerState {
    /// The state over a store and its sealed files.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(config: ServerConfig, store: Store, vault: Vault) -> Result<Self, ServerError> {
        let key = config.signing_key.verifying_key();
        let writer = Writer::start(store.clone(), WRITES_PER_GROUP)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                key,
                resolutions: ResolutionPack::builtin()?,
                store,
                vault,
                audit: AuditTrail::start(writer.clone())?,
                writer,
                n_acts: AtomicU64::new(0),
                throttle: Throttle::default(),
                password_checks: Semaphore::new(PASSWORD_CHECKS_AT_ONCE),
                proofs: Proofs::default(),
                stories: StoryShelf::default(),
                shadows: Shadows::default(),
            }),
        })
    }

    /// Waits until the audit is committed; call it after the last request. It blocks.
    pub fn close(&self) {
        self.shared.audit.close();
    }

    pub(crate) fn config(&self) -> &ServerConfig {
        &self.shared.config
    }

    pub(crate) fn key(&self) -> &VerifyingKey {
        &self.shared.key
    }

    /// How breaks are resolved.
    pub(crate) fn resolutions(&self) -> &ResolutionPack {
        &self.shared.resolutions
    }

    pub(crate) fn store(&self) -> &Store {
        &self.shared.store
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    pub(crate) fn proofs(&self) -> &Proofs {
        &self.shared.proofs
    }

    pub(crate) fn stories(&self) -> &StoryShelf {
        &self.shared.stories
    }

    pub(crate) fn shadows(&self) -> &Shadows {
        &self.shared.shadows
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.shared.throttle
    }

    /// Business time: the fixed clock of a demo, or the wall clock.
    pub(crate) fn now(&self) -> i64 {
        self.shared.config.as_of.unwrap_or_else(wall_clock)
    }

    /// Runs blocking work off the async threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&state)).await;
        done.unwrap_or_else(|error| Err(Problem::internal(&error)))
    }

    /// Runs one read of the store.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(move |state| Ok(state.store().read(work)?)).await
    }

    /// Runs one write, together with those of other requests; it is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(move |state| Ok(state.shared.writer.write(work)?)).await
    }

    /// Checks a password; few run at once.
    pub(crate) async fn password_fits(&self, password: String, stored: Option<String>) -> Result<bool, Problem> {
        let permit = self.shared.password_checks.acquire().await.map_err(|error| Problem::internal(&error))?;
        let fits = self.blocking(move |_| Ok(crate::accounts::password_fits(&password, stored.as_deref()))).await;
        drop(permit);
        fits
    }

    /// Notes an act in the audit.
    pub(crate) async fn audit(&self, tenant: &str, actor: &str, action: &str, resource: &str, outcome: &str) {
        let at = wall_clock();
        let number = self.shared.n_acts.fetch_add(1, Ordering::Relaxed);
        // In order of time, and unique also among processes.
        let id = format!("{at:016x}-{number:08x}-{}", random_hex::<4>().unwrap_or_default());
        let row = AuditRow {
            id,
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.shared.audit.record(Act { tenant: tenant.to_owned(), row }).await;
    }
}

/// Microseconds since 1970 UTC. Sessions and the audit use it also in a demo.
pub(crate) fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
