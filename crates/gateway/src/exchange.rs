//! Requests that are under way, by the key that their replies carry.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use onus_model::Instant;
use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;

use crate::outbox::Outbox;
use crate::seen::{Key, Seen};

/// Locks are taken for nanoseconds; this many keep threads apart.
const SHARDS: usize = 16;
/// Answered exchanges that are remembered, so that a second reply is known as a duplicate: two generations of these
/// in each shard.
const REMEMBERED: usize = 4096;

/// How an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// No reply yet.
    Open = 0,
    /// The reply came and is being released.
    Answered = 1,
    /// Its time was up, or its terminal went: the follower decides what becomes of it.
    Followed = 2,
    /// Nothing more is expected.
    Done = 3,
}

/// One request under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) seen: Seen,
    /// The terminal's connection it came over first.
    pub(crate) connection: u64,
    /// The request, masked.
    pub(crate) frame: SmallVec<[u8; 256]>,
    pub(crate) received_at: Instant,
    pub(crate) received_ticks: u64,
    pub(crate) host: u16,
    pub(crate) link: u16,
    /// When its last byte went to the host; 0 before.
    sent_at: AtomicI64,
    /// When its reply came in; 0 before.
    replied_at: AtomicI64,
    /// Response code of its reply; 0 before.
    code: AtomicU16,
    phase: AtomicU8,
    /// Where the reply goes.
    terminal: Mutex<Option<Arc<Outbox>>>,
    /// The reply, masked, from when it came until it was delivered.
    reply: Mutex<SmallVec<[u8; 16]>>,
}

/// What is known of an exchange when it begins.
pub(crate) struct Begun {
    pub(crate) id: u64,
    pub(crate) seen: Seen,
    pub(crate) connection: u64,
    /// Masked.
    pub(crate) frame: SmallVec<[u8; 256]>,
    pub(crate) received_at: Instant,
    pub(crate) received_ticks: u64,
    pub(crate) host: u16,
    pub(crate) link: u16,
    pub(crate) terminal: Option<Arc<Outbox>>,
    pub(crate) phase: Phase,
}

impl Exchange {
    pub(crate) fn new(begun: Begun) -> Exchange {
        Exchange {
            id: begun.id,
            key: begun.seen.key(),
            seen: begun.seen,
            connection: begun.connection,
            frame: begun.frame,
            received_at: begun.received_at,
            received_ticks: begun.received_ticks,
            host: begun.host,
            link: begun.link,
            sent_at: AtomicI64::new(0),
            replied_at: AtomicI64::new(0),
            code: AtomicU16::new(0),
            phase: AtomicU8::new(begun.phase as u8),
            terminal: Mutex::new(begun.terminal),
            reply: Mutex::default(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Open,
            1 => Phase::Answered,
            2 => Phase::Followed,
            _ => Phase::Done,
        }
    }

    /// Goes from one phase to the next; false when somebody else was first.
    pub(crate) fn step(&self, from: Phase, to: Phase) -> bool {
        self.phase.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn finish(&self) {
        self.phase.store(Phase::Done as u8, Ordering::Release);
    }

    pub(crate) fn was_sent(&self, at: Instant) {
        self.sent_at.store(at.0, Ordering::Relaxed);
    }

    /// When its last byte went to the host; 0 when not known.
    pub(crate) fn sent_at(&self) -> i64 {
        self.sent_at.load(Ordering::Relaxed)
    }

    pub(crate) fn replied_at(&self) -> Instant {
        Instant(self.replied_at.load(Ordering::Relaxed))
    }

    /// The connection that gets the reply.
    pub(crate) fn terminal(&self) -> Option<Arc<Outbox>> {
        self.terminal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The request came again over this connection: the reply goes there.
    pub(crate) fn repeated_by(&self, terminal: &Arc<Outbox>) {
        *self.terminal.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(terminal));
    }

    /// Whether the reply would go to this connection.
    pub(crate) fn belongs_to(&self, terminal: &Arc<Outbox>) -> bool {
        let now = self.terminal.lock().unwrap_or_else(PoisonError::into_inner);
        now.as_ref().is_some_and(|now| Arc::ptr_eq(now, terminal))
    }

    /// Whether it is a reversal that the gateway sent.
    pub(crate) fn is_own(&self) -> bool {
        self.connection == 0
    }

    /// Response code of its reply; zeros before.
    pub(crate) fn code(&self) -> [u8; 2] {
        self.code.load(Ordering::Relaxed).to_be_bytes()
    }

    /// Keeps the masked reply until its delivery is known.
    pub(crate) fn keep_reply(&self, frame: &[u8], code: [u8; 2], at: Instant) {
        self.replied_at.store(at.0, Ordering::Relaxed);
        self.code.store(u16::from_be_bytes(code), Ordering::Relaxed);
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = SmallVec::from_slice(frame);
    }

    /// The masked reply, if one came.
    pub(crate) fn reply(&self) -> Option<SmallVec<[u8; 16]>> {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        (!reply.is_empty()).then(|| reply.clone())
    }
}

/// What putting a request in found.
pub(crate) enum Entered {
    /// It is in; one of the same key whose time was up made room.
    New(Option<Arc<Exchange>>),
    /// The same request is under way.
    Repeated(Arc<Exchange>),
}

/// What a reply belongs to.
pub(crate) enum Found {
    /// An exchange that is under way, or followed.
    Exchange(Arc<Exchange>),
    /// One that was answered not long ago.
    Answered,
    /// None that is known.
    Nothing,
}

/// Exchanges whose keys differ in the batch alone; one, as a rule.
type Same = SmallVec<[Arc<Exchange>; 1]>;

#[derive(Default)]
struct Shard {
    /// By key without batch, for a partner may leave it out of its replies.
    open: FxHashMap<Key, Same>,
    /// Hashes of the keys of answered exchanges, with the time of an approval (0: not approved).
    recent: FxHashMap<u64, i64>,
    older: FxHashMap<u64, i64>,
}

/// All requests under way.
#[derive(Default)]
pub(crate) struct Exchanges {
    shards: [Mutex<Shard>; SHARDS],
}

fn hash(key: &Key) -> u64 {
    FxBuildHasher.hash_one(key.without_batch())
}

/// Whether a reply or repeat with this key can belong to an exchange with that one.
fn agrees(key: &Key, known: &Key) -> bool {
    key.batch.is_none() || known.batch.is_none() || key.batch == known.batch
}

impl Exchanges {
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let at = usize::try_from(hash(key) >> 40).unwrap_or_default();
        self.shards[at % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a request in, unless the same one is under way. One whose time was up makes room.
    pub(crate) fn enter(&self, exchange: &Arc<Exchange>) -> Entered {
        let mut shard = self.shard(&exchange.key);
        let same = shard.open.entry(exchange.key.without_batch()).or_default();
        if let Some(known) = same.iter().find(|known| known.key == exchange.key && known.phase() == Phase::Open) {
            return Entered::Repeated(Arc::clone(known));
        }
        let replaced = same.iter().position(|known| known.key == exchange.key).map(|at| same.swap_remove(at));
        same.push(Arc::clone(exchange));
        Entered::New(replaced)
    }

    /// What a reply of this key belongs to.
    pub(crate) fn find(&self, key: &Key) -> Found {
        let shard = self.shard(key);
        let same = shard.open.get(&key.without_batch());
        if let Some(found) = same.and_then(|same| same.iter().find(|known| agrees(key, &known.key))) {
            return Found::Exchange(Arc::clone(found));
        }
        let known = hash(key);
        let answered = shard.recent.contains_key(&known) || shard.older.contains_key(&known);
        if answered { Found::Answered } else { Found::Nothing }
    }

    /// Nothing more is expected of an exchange. It stays in until [`Exchanges::leave`]; `approved_at` is remembered for
    /// a reversal of the terminal that may come.
    pub(crate) fn finish(&self, exchange: &Exchange, approved_at: Option<Instant>) {
        exchange.finish();
        let mut shard = self.shard(&exchange.key);
        if shard.recent.len() >= REMEMBERED {
            shard.older = std::mem::take(&mut shard.recent);
            shard.recent.reserve(REMEMBERED);
        }
        shard.recent.insert(hash(&exchange.key), approved_at.map_or(0, |at| at.0));
    }

    /// Takes a finished exchange out.
    pub(crate) fn leave(&self, exchange: &Arc<Exchange>) {
        let mut shard = self.shard(&exchange.key);
        let key = exchange.key.without_batch();
        if let Some(same) = shard.open.get_mut(&key) {
            same.retain(|known| !Arc::ptr_eq(known, exchange));
            if same.is_empty() {
                shard.open.remove(&key);
            }
        }
    }

    /// When the host approved a payment that was answered not long ago.
    pub(crate) fn approved_at(&self, key: &Key) -> Option<Instant> {
        let shard = self.shard(key);
        let known = hash(key);
        let at = shard.recent.get(&known).or_else(|| shard.older.get(&known)).copied()?;
        (at != 0).then_some(Instant(at))
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        let length = |shard: &Mutex<Shard>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).open.values().map(SmallVec::len).sum::<usize>()
        };
        self.shards.iter().map(length).sum()
    }

    /// Goes through all of them, shard by shard.
    pub(crate) fn each(&self, mut see: impl FnMut(&Arc<Exchange>)) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).open.values().flatten().for_each(&mut see);
        }
    }
}
