//! The addresses of access points.

/// A BSSID as a number: 12 hexadecimal digits, in pairs or fours between `:`, `-` or `.`, or all together.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let mut others = text.bytes().filter(|byte| !byte.is_ascii_hexdigit());
    let first = others.next();
    let (is_one_kind, separators) = others
        .fold((true, usize::from(first.is_some())), |(is_one_kind, count), byte| {
            (is_one_kind && Some(byte) == first, count + 1)
        });
    let groups: Vec<&str> = text.split([':', '-', '.']).collect();
    let width = match (text.len(), groups.len()) {
        (12, 1) => 12,
        (17, 6) => 2,
        (14, 3) => 4,
        _ => return None,
    };
    let is_regular = is_one_kind
        && separators == groups.len() - 1
        && groups.iter().all(|group| group.len() == width);
    is_regular.then(|| u64::from_str_radix(&groups.concat(), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_it_is_the_same() {
        for text in ["00:00:5e:00:53:af", "00-00-5E-00-53-AF", "0000.5e00.53af", "00005E0053AF"] {
            assert_eq!(parse(text), Some(0x0000_5e00_53af), "{text}");
        }
        for text in [
            "",
            "00:00:5e:00:53",
            "00:00-5e:00:53:af",
            "0000:5e00:53af:00",
            "00005e0053ag",
            "+0005e0053af",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
