//! `payments.refs`: where the observations of a payment stand in the sealed files.

use crate::StoreError;

/// One observation: a row of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObservationRef {
    /// `files.seq`
    pub file_seq: u32,
    /// First byte of the row in the masked file.
    pub offset: u64,
    /// Bytes of the row.
    pub len: u32,
    /// Which leg it tells of, in the numbering of who writes it.
    pub leg: u8,
}

/// The observations of one payment, in the order they were put together.
///
/// Stored as variable-length integers: file and offset as differences from the observation before,
/// because a payment's rows stand in few files and often close to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentRefs(pub Vec<ObservationRef>);

impl PaymentRefs {
    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode_refs(&self.0)
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader { bytes, at: 0 };
        let mut refs = Vec::new();
        let mut before = ObservationRef { file_seq: 0, offset: 0, len: 0, leg: 0 };
        while reader.at < bytes.len() {
            let file_seq = before.file_seq.wrapping_add_signed(reader.signed_32("file")?);
            let base = if file_seq == before.file_seq { before.offset } else { 0 };
            let offset = base.wrapping_add_signed(unzigzag(reader.unsigned()?));
            let len = reader.unsigned_32("length")?;
            let leg = reader.byte()?;
            before = ObservationRef { file_seq, offset, len, leg };
            refs.push(before);
        }
        Ok(Self(refs))
    }
}

/// The stored form of observations that stand in a slice.
#[must_use]
pub fn encode_refs(refs: &[ObservationRef]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(refs.len() * 9);
    let mut before = ObservationRef { file_seq: 0, offset: 0, len: 0, leg: 0 };
    for &it in refs {
        let base = if it.file_seq == before.file_seq { before.offset } else { 0 };
        let file_change = it.file_seq.wrapping_sub(before.file_seq).cast_signed();
        push_varint(&mut bytes, zigzag(file_change.into()));
        push_varint(&mut bytes, zigzag(it.offset.wrapping_sub(base).cast_signed()));
        push_varint(&mut bytes, it.len.into());
        bytes.push(it.leg);
        before = it;
    }
    bytes
}

fn zigzag(int: i64) -> u64 {
    ((int << 1) ^ (int >> 63)).cast_unsigned()
}

fn unzigzag(int: u64) -> i64 {
    (int >> 1).cast_signed() ^ -((int & 1).cast_signed())
}

fn push_varint(bytes: &mut Vec<u8>, mut int: u64) {
    while int >= 0x80 {
        bytes.push((int & 0x7f) as u8 | 0x80);
        int >>= 7;
    }
    bytes.push(int as u8);
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, StoreError> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| self.damaged("it ends early"))?;
        self.at += 1;
        Ok(byte)
    }

    fn unsigned(&mut self) -> Result<u64, StoreError> {
        let mut int = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            int |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(int);
            }
        }
        Err(self.damaged("an integer of more than 64 bits"))
    }

    fn unsigned_32(&mut self, what: &str) -> Result<u32, StoreError> {
        let int = self.unsigned()?;
        u32::try_from(int).map_err(|_| self.damaged(&format!("{what} {int} does not fit 32 bits")))
    }

    fn signed_32(&mut self, what: &str) -> Result<i32, StoreError> {
        let int = unzigzag(self.unsigned()?);
        i32::try_from(int).map_err(|_| self.damaged(&format!("{what} {int} does not fit 32 bits")))
    }

    fn damaged(&self, detail: &str) -> StoreError {
        StoreError::Damaged { what: "payment refs", detail: format!("byte {}: {detail}", self.at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_ref() -> impl Strategy<Value = ObservationRef> {
        (any::<u32>(), any::<u64>(), any::<u32>(), any::<u8>())
            .prop_map(|(file_seq, offset, len, leg)| ObservationRef { file_seq, offset, len, leg })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(refs in proptest::collection::vec(any_ref(), 0..20)) {
            prop_assert_eq!(PaymentRefs::decode(&encode_refs(&refs)).unwrap().0, refs);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(refs) = PaymentRefs::decode(&bytes) {
                prop_assert_eq!(PaymentRefs::decode(&refs.encode()).unwrap(), refs);
            }
        }

        #[test]
        fn a_cut_inside_the_last_ref_is_refused(refs in proptest::collection::vec(any_ref(), 1..5)) {
            let bytes = encode_refs(&refs);
            prop_assert!(PaymentRefs::decode(&bytes[..bytes.len() - 1]).is_err());
        }
    }

    #[test]
    fn seven_observations_of_a_payment_are_small() {
        let refs: Vec<ObservationRef> = (0..7)
            .map(|i| ObservationRef {
                file_seq: 3 + i / 2,
                offset: 90_000_000 + u64::from(i) * 180,
                len: 180,
                leg: i as u8,
            })
            .collect();
        assert!(encode_refs(&refs).len() <= 60, "{}", encode_refs(&refs).len());
    }
}
