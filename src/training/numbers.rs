//! Numbers: many f64 as a word of a text file, kept to the last bit. JSON has no NaN, and takes three times the room.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// Numbers that stand in a text as base64 of their eight bytes each, the lowest first. In Python:
/// `numpy.frombuffer(base64.b64decode(text))`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Numbers(pub Vec<f64>);

impl From<Numbers> for String {
    fn from(Numbers(numbers): Numbers) -> String {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        BASE64_STANDARD.encode(bytes)
    }
}

impl TryFrom<String> for Numbers {
    type Error = String;

    fn try_from(text: String) -> Result<Numbers, String> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|error| error.to_string())?;
        let (numbers, []) = bytes.as_chunks::<8>() else {
            return Err(format!("{} bytes are no whole numbers of eight each", bytes.len()));
        };
        Ok(Numbers(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_survives_and_what_is_no_number_is_refused() {
        let all = [0.1, -0.0, f64::NAN, f64::NEG_INFINITY, 5e-324, f64::MAX];
        let text = serde_json::to_string(&Numbers(all.to_vec())).unwrap();
        let Numbers(back) = serde_json::from_str(&text).unwrap();
        assert!(all.iter().map(|v| v.to_bits()).eq(back.iter().map(|v| v.to_bits())), "{text}");
        // As NumPy writes it: 1.5 is 0x3FF8000000000000.
        assert_eq!(String::from(Numbers(vec![1.5])), "AAAAAAAA+D8=");
        assert!(serde_json::from_str::<Numbers>("\"AAAAAAAA+D\"").is_err());
        assert!(serde_json::from_str::<Numbers>("\"AAAA\"").is_err());
    }
}
