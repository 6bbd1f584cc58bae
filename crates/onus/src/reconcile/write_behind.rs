//! A file that is written on a thread of its own.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};

/// Bytes that go to the other thread at once.
const PIECE: usize = 1 << 16;
/// Pieces that may wait.
const AHEAD: usize = 64;

/// Hands full pieces to the thread that writes. A failure is told by a later write, or by [`WriteBehind::finish`].
pub(crate) struct WriteBehind {
    piece: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl WriteBehind {
    pub(crate) fn new(file: impl Write + Send + 'static) -> Self {
        let (full, pieces) = mpsc::sync_channel(AHEAD);
        let (back, empty) = mpsc::channel();
        let thread = Some(thread::spawn(move || write(file, &pieces, &back)));
        Self { piece: Vec::with_capacity(PIECE), full, empty, thread }
    }

    /// Waits until everything is written.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.send()?;
        let Self { full, thread, .. } = self;
        drop(full);
        join(thread)
    }

    fn send(&mut self) -> io::Result<()> {
        let next = self.empty.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE));
        let piece = std::mem::replace(&mut self.piece, next);
        // The thread takes no more pieces when it failed; it knows why.
        self.full.send(piece).or_else(|_| join(self.thread.take()).and(Err(stopped())))
    }
}

fn join(thread: Option<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    thread.ok_or_else(stopped)?.join().map_err(|_| stopped())?
}

fn stopped() -> io::Error {
    io::Error::other("the results are not written any more")
}

impl Write for WriteBehind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() + bytes.len() > PIECE {
            self.send()?;
        }
        self.piece.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Hands over what is there, without waiting for it.
    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

fn write(mut to: impl Write, pieces: &Receiver<Vec<u8>>, back: &Sender<Vec<u8>>) -> io::Result<()> {
    for mut piece in pieces {
        to.write_all(&piece)?;
        piece.clear();
        // Nobody waits for empty pieces at the end.
        let _ = back.send(piece);
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A disk that is full from the start.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let mut behind = WriteBehind::new(fs::File::create(&path).unwrap());
        let lines: Vec<String> = (0..500_000).map(|number| format!("{number}\n")).collect();
        lines.iter().for_each(|line| behind.write_all(line.as_bytes()).unwrap());
        behind.finish().unwrap();
        assert!(fs::read_to_string(path).unwrap() == lines.concat());
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let mut behind = WriteBehind::new(Full);
        let line = [b'x'; 1000];
        let failed = (0..20_000).find_map(|_| behind.write_all(&line).err());
        assert_eq!(failed.unwrap().kind(), io::ErrorKind::StorageFull);
        let mut behind = WriteBehind::new(Full);
        behind.write_all(&line).unwrap();
        assert_eq!(behind.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
