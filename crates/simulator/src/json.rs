//! Bytes of JSON, as Graph prints them: numbers, strings, GUIDs, instants and durations.
//!
//! Everything appends to a `Vec<u8>`; nothing here allocates or goes through `std::fmt` on the way
//! that most values take.

use odata::primitive::{
    DateTimeOffset, Duration, TICKS_PER_DAY, TICKS_PER_MILLISECOND, TICKS_PER_SECOND,
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends finished JSON.
#[inline]
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `value` in decimal.
#[inline]
pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends `value / 10^decimals` as the shortest decimal: no trailing zeros, no point when
/// integral. With at most six significant digits this is also the shortest text of the nearest
/// `Edm.Single`.
#[inline]
pub(crate) fn decimal(out: &mut Vec<u8>, mut value: u64, mut decimals: u32) {
    while decimals > 0 && value.is_multiple_of(10) {
        value /= 10;
        decimals -= 1;
    }
    if decimals == 0 {
        return unsigned(out, value);
    }
    let scale = 10_u64.pow(decimals);
    unsigned(out, value / scale);
    out.push(b'.');
    padded(out, value % scale, decimals as usize);
}

/// Appends an amount of money with both decimals: `0.12`.
pub(crate) fn cents(out: &mut Vec<u8>, cents: u64) {
    unsigned(out, cents / 100);
    out.push(b'.');
    padded(out, cents % 100, 2);
}

/// Appends `value` with leading zeros, `width` digits wide (at most 8).
#[inline]
fn padded(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let mut digits = [b'0'; 8];
    for digit in digits[..width].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    out.extend_from_slice(&digits[..width]);
}

/// Appends a duration of `milliseconds`, quoted: `"PT0.016S"`.
#[inline]
pub(crate) fn milliseconds(out: &mut Vec<u8>, milliseconds: u64) {
    if milliseconds >= 60_000 {
        let ticks = milliseconds as i64 * TICKS_PER_MILLISECOND;
        string(out, &Duration(ticks).to_string());
        return;
    }
    raw(out, "\"PT");
    decimal(out, milliseconds, 3);
    raw(out, "S\"");
}

/// Appends a quoted string, escaped where JSON asks for it.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1f => {
                raw(out, "\\u00");
                hex_byte(out, byte);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends a GUID in lower case, without quotes.
#[inline]
pub(crate) fn guid(out: &mut Vec<u8>, bytes: [u8; 16]) {
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (i, byte) in bytes.into_iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at] = HEX[usize::from(byte >> 4)];
        text[at + 1] = HEX[usize::from(byte & 15)];
        at += 2;
    }
    out.extend_from_slice(&text);
}

/// A GUID in lower case.
pub(crate) fn guid_text(bytes: [u8; 16]) -> String {
    let mut out = Vec::with_capacity(36);
    guid(&mut out, bytes);
    String::from_utf8(out).expect("hexadecimal digits and dashes")
}

/// Appends one byte as two lower-case hexadecimal digits.
#[inline]
pub(crate) fn hex_byte(out: &mut Vec<u8>, byte: u8) {
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Prints instants, remembering the dates of the days it met.
#[derive(Debug)]
pub(crate) struct Instants {
    /// The day number and its `2020-02-25T`, in the place `day % 64`.
    days: [(i64, [u8; DATE_LEN]); 64],
}

const DATE_LEN: usize = "2020-02-25T".len();

impl Instants {
    pub(crate) fn new() -> Self {
        Self { days: [(i64::MIN, [0; DATE_LEN]); 64] }
    }

    /// Appends the instant `ticks` after the Unix epoch, quoted. Years are 0001 to 9999.
    #[inline]
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, ticks: i64) {
        let day = ticks.div_euclid(TICKS_PER_DAY);
        let entry = &mut self.days[day.rem_euclid(64) as usize];
        if entry.0 != day {
            let midnight = DateTimeOffset(day * TICKS_PER_DAY).to_string();
            entry.1.copy_from_slice(&midnight.as_bytes()[..DATE_LEN]);
            entry.0 = day;
        }
        out.push(b'"');
        out.extend_from_slice(&entry.1);
        let of_day = ticks.rem_euclid(TICKS_PER_DAY) as u64;
        let per_second = TICKS_PER_SECOND as u64;
        let (second, fraction) = (of_day / per_second, of_day % per_second);
        padded(out, second / 3600, 2);
        out.push(b':');
        padded(out, second / 60 % 60, 2);
        out.push(b':');
        padded(out, second % 60, 2);
        if fraction > 0 {
            let (mut digits, mut width) = (fraction, 7);
            while digits.is_multiple_of(10) {
                digits /= 10;
                width -= 1;
            }
            out.push(b'.');
            padded(out, digits, width);
        }
        raw(out, "Z\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decimals_are_the_shortest_text_of_the_nearest_single() {
        let mut rng = Rng::of(1, 1);
        for _ in 0..20_000 {
            let (value, decimals) = (rng.below(1_000_000), rng.below(7) as u32);
            let printed = text(|out| decimal(out, value, decimals));
            if value == 0 || printed.starts_with("0.0000") {
                continue;
            }
            assert_eq!(printed, printed.parse::<f32>().unwrap().to_string());
        }
        assert_eq!(text(|out| decimal(out, 0, 6)), "0");
        assert_eq!(text(|out| decimal(out, 13_800, 6)), "0.0138");
    }

    #[test]
    fn money_keeps_its_decimals() {
        for (amount, printed) in [(0, "0.00"), (7, "0.07"), (120, "1.20")] {
            assert_eq!(text(|out| cents(out, amount)), printed);
        }
    }

    #[test]
    fn instants_and_durations_print_as_odata_prints_them() {
        let mut instants = Instants::new();
        let mut rng = Rng::of(2, 2);
        for _ in 0..5_000 {
            let ticks = rng.below(4_000_000_000) as i64 * 10_i64.pow(rng.below(8) as u32);
            let expect = format!("\"{}\"", DateTimeOffset(ticks));
            assert_eq!(text(|out| instants.write(out, ticks)), expect);
            let span = rng.below(200_000);
            let expect = format!("\"{}\"", Duration(span as i64 * 10_000));
            assert_eq!(text(|out| milliseconds(out, span)), expect);
        }
        let before_epoch = DateTimeOffset(-1);
        assert_eq!(text(|out| instants.write(out, -1)), format!("\"{before_epoch}\""));
    }

    #[test]
    fn guids_have_their_dashes_in_place() {
        let bytes = odata::primitive::parse_guid("e523d2ed-2966-4b6b-925b-754a88034cc5").unwrap();
        assert_eq!(text(|out| guid(out, bytes)), "e523d2ed-2966-4b6b-925b-754a88034cc5");
    }

    #[test]
    fn strings_are_escaped() {
        assert_eq!(text(|out| string(out, "a\"b\\c\n")), r#""a\"b\\c\u000a""#);
    }
}
