//! Positions on the earth, and where networks are.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A position in hundred-thousandths of a degree (about one metre of latitude).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Latitude, north positive.
    pub lat_e5: i32,
    /// Longitude, east positive.
    pub lon_e5: i32,
}

impl Place {
    /// Reads `LATITUDE/LONGITUDE` or `LATITUDE,LONGITUDE` in decimal degrees with optional signs, the form of terminal
    /// reports, such as `+31.23/+121.47`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Place> {
        let text = text.trim_ascii();
        let middle = text.iter().position(|byte| matches!(byte, b'/' | b','))?;
        let lat_e5 = degrees_e5(text.get(..middle)?, 90)?;
        let lon_e5 = degrees_e5(text.get(middle + 1..)?, 180)?;
        Some(Place { lat_e5, lon_e5 })
    }

    /// Metres to another place, good to a few per cent up to a few thousand kilometres: enough to tell towns apart.
    #[must_use]
    pub fn metres_to(self, other: Place) -> u64 {
        let north = i64::from(self.lat_e5) - i64::from(other.lat_e5);
        let around = (i64::from(self.lon_e5) - i64::from(other.lon_e5)).abs();
        let around = around.min(36_000_000 - around);
        let middle = (i64::from(self.lat_e5) + i64::from(other.lat_e5)) / 2;
        let east = around * cosine_e4(middle) / 10_000;
        // A hundred-thousandth of a degree is 1.1132 m.
        (north * north + east * east).unsigned_abs().isqrt() * 11_132 / 10_000
    }
}

/// The cosine of a latitude in ten-thousandths, by the old approximation of Bhaskara (within two thousandths).
fn cosine_e4(lat_e5: i64) -> i64 {
    let degrees_e2 = lat_e5 / 1_000;
    let square = degrees_e2 * degrees_e2 / 10_000;
    10_000 * (32_400 - 4 * square) / (32_400 + square)
}

fn degrees_e5(text: &[u8], most: i32) -> Option<i32> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    if whole.is_empty() || whole.len() > 3 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |byte: u8| i32::from(byte - b'0');
    let whole = whole.iter().fold(0, |sum, byte| sum * 10 + digit(*byte));
    let fraction = (0..5).fold(0, |sum, at| sum * 10 + fraction.get(at).copied().map_or(0, digit));
    let value = whole * 100_000 + fraction;
    (value <= most * 100_000).then_some(if negative { -value } else { value })
}

/// Where a network of addresses is, as the operator knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRow {
    /// Network as `ADDRESS/BITS`, such as `10.31.0.0/16`.
    pub network: String,
    /// Latitude in hundred-thousandths of a degree.
    pub lat_e5: i32,
    /// Longitude in hundred-thousandths of a degree.
    pub lon_e5: i32,
}

/// A network row did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("network {found:?}: expected ADDRESS/BITS such as 10.31.0.0/16 or 2001:db8::/32; correct the row")]
pub struct NetworkError {
    found: String,
}

/// Places by network address; the narrowest network that holds an address gives its place.
#[derive(Debug, Clone, Default)]
pub struct NetworkPlaces {
    /// Narrowest first; addresses of version 4 as mapped ones of version 6.
    networks: Vec<(u128, u32, Place)>,
}

impl NetworkPlaces {
    /// Reads the rows.
    ///
    /// # Errors
    /// Says which row is no network.
    pub fn build(rows: &[NetworkRow]) -> Result<NetworkPlaces, NetworkError> {
        let mut networks = Vec::with_capacity(rows.len());
        for row in rows {
            let (start, bits) =
                read_network(&row.network).ok_or_else(|| NetworkError { found: row.network.clone() })?;
            networks.push((start, bits, Place { lat_e5: row.lat_e5, lon_e5: row.lon_e5 }));
        }
        networks.sort_by_key(|(start, bits, _)| (std::cmp::Reverse(*bits), *start));
        Ok(NetworkPlaces { networks })
    }

    /// The place of an address.
    #[must_use]
    pub fn place_of(&self, address: IpAddr) -> Option<Place> {
        let address = mapped(address);
        self.networks.iter().find(|(start, bits, _)| masked(address, *bits) == *start).map(|(_, _, place)| *place)
    }
}

fn read_network(text: &str) -> Option<(u128, u32)> {
    let (address, bits) = text.trim().split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let bits = if address.is_ipv4() { bits.checked_add(96)? } else { bits };
    (bits <= 128).then(|| (masked(mapped(address), bits), bits))
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn masked(address: u128, bits: u32) -> u128 {
    address & u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHANGHAI: Place = Place { lat_e5: 3_123_000, lon_e5: 12_147_000 };
    const BEIJING: Place = Place { lat_e5: 3_990_000, lon_e5: 11_640_000 };

    #[test]
    fn places_read_and_measure() {
        let read = |text: &str| Place::parse(text.as_bytes());
        assert_eq!(read("+31.23/+121.47"), Some(SHANGHAI));
        assert_eq!(read("39.9,116.4"), Some(BEIJING));
        assert_eq!(read("-33.86880/151.2093"), Some(Place { lat_e5: -3_386_880, lon_e5: 15_120_930 }));
        for wrong in ["", "31.23", "91/0", "1/181", "a/b", "/", "1.2.3/4", "-/5"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let far = SHANGHAI.metres_to(BEIJING);
        assert!((1_050_000..1_090_000).contains(&far), "about 1,068 km, found {far}");
        assert_eq!(SHANGHAI.metres_to(SHANGHAI), 0);
        let (east, west) = (Place { lat_e5: 0, lon_e5: 17_999_000 }, Place { lat_e5: 0, lon_e5: -17_999_000 });
        assert!(east.metres_to(west) < 2_300, "across the date line");
    }

    #[test]
    fn the_narrowest_network_wins() {
        let row = |network: &str, place: Place| NetworkRow {
            network: network.into(),
            lat_e5: place.lat_e5,
            lon_e5: place.lon_e5,
        };
        let rows = [row("10.0.0.0/8", SHANGHAI), row("10.31.0.0/16", BEIJING), row("2001:db8::/32", BEIJING)];
        let places = NetworkPlaces::build(&rows).unwrap();
        let at = |text: &str| places.place_of(text.parse().unwrap());
        assert_eq!(at("10.1.2.3"), Some(SHANGHAI));
        assert_eq!(at("10.31.2.3"), Some(BEIJING));
        assert_eq!(at("2001:db8::1"), Some(BEIJING));
        assert_eq!(at("192.168.0.1"), None);
        assert_eq!(
            NetworkPlaces::build(&[row("0.0.0.0/0", SHANGHAI)]).unwrap().place_of([8, 8, 8, 8].into()),
            Some(SHANGHAI)
        );
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1"] {
            let error = NetworkPlaces::build(&[row(wrong, SHANGHAI)]).unwrap_err();
            assert!(error.to_string().contains(wrong));
        }
    }
}
