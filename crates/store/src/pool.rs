//! A small pool of connections: at most `max` at once, opened when first needed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) struct Pool<C> {
    state: Mutex<State<C>>,
    returned: Condvar,
    max: usize,
}

struct State<C> {
    idle: Vec<C>,
    n_open: usize,
}

impl<C> Pool<C> {
    pub(crate) fn new(max: usize) -> Self {
        Self { state: Mutex::new(State { idle: Vec::new(), n_open: 0 }), returned: Condvar::new(), max }
    }

    /// An idle connection that is still `alive`, or a new one; waits while all are in use.
    pub(crate) fn take<E>(
        &self,
        open: impl FnOnce() -> Result<C, E>,
        alive: impl Fn(&C) -> bool,
    ) -> Result<Pooled<'_, C>, E> {
        let mut state = self.lock();
        loop {
            while let Some(conn) = state.idle.pop() {
                if alive(&conn) {
                    return Ok(Pooled { pool: self, conn: Some(conn) });
                }
                state.n_open -= 1;
            }
            if state.n_open < self.max {
                state.n_open += 1;
                break;
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        // From here on the guard gives the place back, also when opening fails.
        let mut pooled = Pooled { pool: self, conn: None };
        pooled.conn = Some(open()?);
        Ok(pooled)
    }

    pub(crate) fn drain(&self) -> Vec<C> {
        let mut state = self.lock();
        state.n_open -= state.idle.len();
        std::mem::take(&mut state.idle)
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("max", &self.max).finish_non_exhaustive()
    }
}

/// A connection on loan; it goes back when dropped.
pub(crate) struct Pooled<'p, C> {
    pool: &'p Pool<C>,
    conn: Option<C>,
}

impl<C> Deref for Pooled<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        match &self.conn {
            Some(conn) => conn,
            None => unreachable!("a loan holds its connection until it is dropped"),
        }
    }
}

impl<C> DerefMut for Pooled<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        match &mut self.conn {
            Some(conn) => conn,
            None => unreachable!("a loan holds its connection until it is dropped"),
        }
    }
}

impl<C> Drop for Pooled<'_, C> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.conn.take() {
            Some(conn) => state.idle.push(conn),
            None => state.n_open -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
