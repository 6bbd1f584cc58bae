//! Bytes of a connection to frames: whole ones are handed on where they lie, an unfinished one is kept.

use onus_iso8583::Stream;

/// How the frames of a connection follow each other, and how long one may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Framer {
    stream: Stream,
    max_frame: usize,
}

/// The bytes are no frames; the connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FramingError {
    #[error("a frame of {found} bytes, expected at most {max}")]
    TooLong { found: usize, max: usize },
    #[error("an empty frame")]
    Empty,
    #[error("the length before a frame: {0}")]
    Prefix(String),
}

/// The next step through the bytes.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A frame lies at this range; the next one begins behind it.
    Frame(std::ops::Range<usize>),
    /// The rest is no whole frame yet.
    Unfinished,
}

impl Framer {
    pub(crate) fn new(stream: Stream, max_frame: usize) -> Framer {
        Framer { stream, max_frame }
    }

    fn step(&self, bytes: &[u8]) -> Result<Step, FramingError> {
        let framed = self.stream.read(bytes).map_err(|error| FramingError::Prefix(error.to_string()))?;
        let Some(framed) = framed else { return Ok(Step::Unfinished) };
        if framed.frame > self.max_frame {
            return Err(FramingError::TooLong { found: framed.frame, max: self.max_frame });
        }
        if framed.frame == 0 {
            return Err(FramingError::Empty);
        }
        let range = framed.prefix..framed.prefix + framed.frame;
        Ok(if range.end <= bytes.len() { Step::Frame(range) } else { Step::Unfinished })
    }

    /// Hands on every whole frame at the start of `bytes`; gives how many bytes they took.
    pub(crate) fn split<E: From<FramingError>>(
        &self,
        bytes: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..)
            && !rest.is_empty()
            && let Step::Frame(range) = self.step(rest)?
        {
            at += range.end;
            take(rest.get(range).unwrap_or_default())?;
        }
        Ok(at)
    }

    /// Where each frame begins, with its prefix, in bytes that are nothing but frames.
    pub(crate) fn starts(self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            match self.step(bytes.get(at..).filter(|rest| !rest.is_empty())?) {
                Ok(Step::Frame(range)) => at += range.end,
                _ => return None,
            }
            Some(start)
        })
    }

    /// The frame behind its length prefix.
    pub(crate) fn without_prefix<'a>(&self, wire: &'a [u8]) -> &'a [u8] {
        match self.step(wire) {
            Ok(Step::Frame(range)) => wire.get(range).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Appends a frame with its length; false when the length cannot be written.
    pub(crate) fn put(&self, frame: &[u8], out: &mut Vec<u8>) -> bool {
        let fits = self.stream.write(frame.len(), out);
        if fits {
            out.extend_from_slice(frame);
        }
        fits
    }
}

/// What came of a frame that is not whole yet. It owns memory only while there is one.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    bytes: Vec<u8>,
}

impl Unfinished {
    /// Whether a frame has begun and is not whole.
    pub(crate) fn any(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Takes newly read bytes and hands on every frame that is whole now. `keep` says whether the memory is kept for
    /// the next unfinished frame, as a busy connection does.
    pub(crate) fn take<E: From<FramingError>>(
        &mut self,
        framer: &Framer,
        fresh: &[u8],
        keep: bool,
        take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.bytes.is_empty() {
            let done = framer.split(fresh, take)?;
            self.bytes.extend_from_slice(fresh.get(done..).unwrap_or_default());
            return Ok(());
        }
        self.bytes.extend_from_slice(fresh);
        let done = framer.split(&self.bytes, take)?;
        if done == self.bytes.len() && !keep {
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..done);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use onus_iso8583::Dialect;
    use proptest::prelude::*;

    use super::*;

    fn framer(max: usize) -> Framer {
        Framer::new(Dialect::builtin("unionpay-pos").unwrap().stream().unwrap(), max)
    }

    fn wire(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for frame in frames {
            assert!(framer(65_535).put(frame, &mut out));
        }
        out
    }

    fn read(framer: &Framer, pieces: &[&[u8]]) -> Result<(Vec<Vec<u8>>, Unfinished), FramingError> {
        let mut unfinished = Unfinished::default();
        let mut frames = Vec::new();
        for piece in pieces {
            unfinished.take(framer, piece, false, |frame| {
                frames.push(frame.to_vec());
                Ok::<(), FramingError>(())
            })?;
        }
        Ok((frames, unfinished))
    }

    #[test]
    fn bytes_one_by_one() {
        let bytes = wire(&[b"abc".to_vec(), b"d".to_vec()]);
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        let (frames, unfinished) = read(&framer(64), &pieces).unwrap();
        assert_eq!(frames, [b"abc".to_vec(), b"d".to_vec()]);
        assert!(!unfinished.any());
        assert_eq!(unfinished.bytes.capacity(), 0);
    }

    #[test]
    fn huge_and_empty_lengths_are_refused_before_any_byte_is_kept() {
        assert_eq!(read(&framer(64), &[&[0xFF, 0xFF]]).unwrap_err(), FramingError::TooLong { found: 65_535, max: 64 });
        assert_eq!(read(&framer(64), &[&[0, 0, 1]]).unwrap_err(), FramingError::Empty);
        let (frames, unfinished) = read(&framer(64), &[&[0]]).unwrap();
        assert!(frames.is_empty() && unfinished.any());
    }

    proptest! {
        #[test]
        fn however_the_bytes_come(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..20),
                                  cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
            let bytes = wire(&frames);
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let (found, unfinished) = read(&framer(200), &pieces).unwrap();
            prop_assert_eq!(found, frames);
            prop_assert!(!unfinished.any());
        }
    }
}
