//! Asking for memory before it is needed: what is waited for one by one costs more than the work on it.

/// Bytes that come into the cache at once.
const LINE: usize = 64;

/// Has a value brought into the cache of this core, without waiting for it. Does nothing on other processors.
#[inline(always)]
pub(crate) fn ask_for<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    safe_arch::prefetch_t0(value);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Bytes that are asked for little by little: a core waits when it asks for many lines at once.
pub(crate) type Lines<'a> = std::slice::Chunks<'a, u8>;

/// The lines of the cache that `bytes` take.
pub(crate) fn lines(bytes: &[u8]) -> Lines<'_> {
    bytes.chunks(LINE)
}

/// Asks for the next of `lines`.
#[inline(always)]
pub(crate) fn ask_for_next(lines: &mut Lines<'_>) {
    if let Some(first) = lines.next().and_then(<[u8]>::first) {
        ask_for(first);
    }
}
