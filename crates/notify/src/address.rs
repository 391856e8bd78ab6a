//! Which addresses messages may go to: those of the public internet, and networks that the operator
//! allows. Whoever makes a subscription chooses the address, and must not reach through us what is
//! reachable for us alone (OWASP API7, server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Where addresses lead that are not of the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To what can be reached from inside only.
    Inside,
    /// To nothing.
    Nowhere,
}

/// Networks of version 4 that are not the public internet (IANA special-purpose registry), and one
/// address of a cloud's own services.
const CLOSED_V4: [(Ipv4Net, Reach); 18] = [
    (v4([0, 0, 0, 0], 8), Reach::Nowhere),
    (v4([10, 0, 0, 0], 8), Reach::Inside),
    (v4([100, 64, 0, 0], 10), Reach::Inside),
    (v4([127, 0, 0, 0], 8), Reach::Inside),
    (v4([168, 63, 129, 16], 32), Reach::Inside),
    (v4([169, 254, 0, 0], 16), Reach::Inside),
    (v4([172, 16, 0, 0], 12), Reach::Inside),
    (v4([192, 0, 0, 0], 24), Reach::Inside),
    (v4([192, 0, 2, 0], 24), Reach::Nowhere),
    (v4([192, 31, 196, 0], 24), Reach::Nowhere),
    (v4([192, 52, 193, 0], 24), Reach::Nowhere),
    (v4([192, 88, 99, 0], 24), Reach::Nowhere),
    (v4([192, 168, 0, 0], 16), Reach::Inside),
    (v4([192, 175, 48, 0], 24), Reach::Nowhere),
    (v4([198, 18, 0, 0], 15), Reach::Inside),
    (v4([198, 51, 100, 0], 24), Reach::Nowhere),
    (v4([203, 0, 113, 0], 24), Reach::Nowhere),
    (v4([224, 0, 0, 0], 3), Reach::Nowhere),
];

/// Of version 6 only global unicast is open, less what is set apart in it.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23),
    v6([0x2001, 0xdb8, 0], 32),
    v6([0x3fff, 0, 0], 20),
    v6([0x2620, 0x4f, 0x8000], 48),
];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

/// A network by the first segments of its address.
const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Decides about addresses.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

/// A text that is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no network such as 10.1.0.0/16 or fd00::/8")]
pub struct NoNetwork(String);

impl Guard {
    /// Allows networks beside the public internet, each an address or a network in CIDR form.
    ///
    /// # Errors
    /// Names the first that is none.
    pub fn allowing<'n>(networks: impl IntoIterator<Item = &'n str>) -> Result<Self, NoNetwork> {
        let parse = |text: &str| {
            let text = text.trim();
            let network = text.parse::<IpNet>().ok();
            let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
            network.ok_or_else(|| NoNetwork(text.to_owned()))
        };
        let allowed = networks.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { allowed })
    }

    /// Whether messages may go to an address.
    pub fn admits(&self, address: IpAddr) -> bool {
        // A version 4 address in the clothes of version 6 is what it is.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|(network, _)| network.contains(&address)),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public(IpAddr::V4(address)),
            None => {
                OPEN_V6.contains(&address)
                    && !CLOSED_V6.iter().any(|network| network.contains(&address))
                    && !leads_inside(address)
            }
        },
    }
}

/// The address of version 4 to which one of version 6 leads everywhere: through NAT64 with its
/// well-known prefix (RFC 6052; all other prefixes that begin like it are of local use, RFC 8215, and
/// not open), through 6to4 (RFC 3056), or to a host of ISATAP (RFC 5214).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let at =
        |first: usize| Ipv4Addr::from(u32::from(parts[first]) << 16 | u32::from(parts[first + 1]));
    match parts {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(at(6)),
        [0x2002, ..] => Some(at(1)),
        // Anything may stand before it that could be the address of a site.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] if OPEN_V6.contains(&address) => Some(at(6)),
        _ => None,
    }
}

/// How long a prefix of NAT64 can be, in bytes (RFC 6052 section 2.2).
const PREFIXES: [usize; 6] = [4, 5, 6, 7, 8, 12];
/// The byte that is zero and no part of the address of version 4.
const SPARED: usize = 8;

/// Whether a translator with a prefix of its own (RFC 6052) could lead from here to an address of an
/// inner network: whatever the prefix is, one of these stands behind it, and nothing behind that.
fn leads_inside(address: Ipv6Addr) -> bool {
    let bytes = address.octets();
    bytes[SPARED] == 0
        && PREFIXES.iter().any(|prefix| {
            let mut rest = (*prefix..bytes.len()).filter(|place| *place != SPARED);
            let mut next = || rest.next().map_or(0, |place| bytes[place]);
            let inner = Ipv4Addr::from([next(), next(), next(), next()]);
            let is_last = rest.all(|place| bytes[place] == 0);
            let is_inside = |(network, reach): &(Ipv4Net, Reach)| {
                *reach == Reach::Inside && network.contains(&inner)
            };
            is_last && CLOSED_V4.iter().any(is_inside)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(guard: &Guard, text: &str) -> bool {
        guard.admits(text.parse().unwrap())
    }

    #[test]
    fn only_the_public_internet_is_open() {
        let guard = Guard::default();
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:c0a8:101::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!admits(&guard, text), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2002:101:101::1",
            "64:ff9b::101:101",
        ] {
            assert!(admits(&guard, text), "{text}");
        }
    }

    /// An address of version 4 behind a prefix of so many bits, with the zero byte (RFC 6052 section
    /// 2.2), and a suffix behind it.
    fn behind(prefix: &str, bits: usize, inner: [u8; 4], suffix: u8) -> Ipv6Addr {
        let mut bytes = prefix.parse::<Ipv6Addr>().unwrap().octets();
        let mut inner = inner.into_iter();
        for place in (bits / 8..16).filter(|place| *place != 8) {
            bytes[place] = inner.next().unwrap_or(suffix);
        }
        bytes[8] = 0;
        bytes.into()
    }

    const INNER: [[u8; 4]; 9] = [
        [10, 0, 0, 1],
        [100, 64, 0, 1],
        [127, 0, 0, 1],
        [168, 63, 129, 16],
        [169, 254, 169, 254],
        [172, 16, 5, 4],
        [192, 0, 0, 8],
        [192, 168, 1, 1],
        [198, 18, 0, 1],
    ];

    #[test]
    fn translated_addresses_of_inner_networks_are_closed_in_every_form() {
        let guard = Guard::default();
        for inner in INNER {
            for bits in [32, 40, 48, 56, 64, 96] {
                // The published example of RFC 6052 is closed as documentation is.
                for prefix in ["2001:db8:122:344::", "2a01:4f8:122:344::", "2606:4700:1:2::"] {
                    let address = behind(prefix, bits, inner, 0);
                    assert!(!guard.admits(address.into()), "{address}: {inner:?} at {bits}");
                }
                // What begins like the well-known prefix leads nowhere else, whatever follows.
                for prefix in ["64:ff9b::", "64:ff9b:1::", "64:ff9b:1:fffe::", "64:ff9b:2::"] {
                    for suffix in [0, 1] {
                        let address = behind(prefix, bits, inner, suffix);
                        assert!(!guard.admits(address.into()), "{address}: {inner:?} at {bits}");
                    }
                }
            }
            let [a, b, c, d] = inner;
            for text in [
                format!("::{a}.{b}.{c}.{d}"),
                format!("::ffff:{a}.{b}.{c}.{d}"),
                format!("::ffff:0:{a}.{b}.{c}.{d}"),
                format!("64:ff9b::{a}.{b}.{c}.{d}"),
                format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1"),
                // Teredo has it inverted, behind its server's.
                format!("2001:0:4136:e378:8000:63bf:{:02x}{:02x}:{:02x}{:02x}", !a, !b, !c, !d),
                format!("2a01:4f8:1:2:0:5efe:{a}.{b}.{c}.{d}"),
                format!("2a01:4f8:1:2:200:5efe:{a}.{b}.{c}.{d}"),
                format!("fe80::5efe:{a}.{b}.{c}.{d}"),
            ] {
                assert!(!admits(&guard, &text), "{text}");
            }
        }
        for text in [
            "64:ff9b:1:a00:0:100:101:101",
            "64:ff9b:1:101:1:100::",
            "64:ff9b:1::101:101",
            "64:ff9b:101:101::",
        ] {
            assert!(!admits(&guard, text), "{text}");
        }
    }

    #[test]
    fn addresses_of_the_public_internet_stay_open() {
        let guard = Guard::default();
        for text in [
            "2606:4700:4700::1111",
            "2606:4700::6810:84e5",
            "2001:4860:4860::8888",
            "2620:fe::fe",
            "2620:119:35::35",
            "2a00:1450:400a:805::200e",
            "2607:f8b0:4005:805::200a",
            "2a03:2880:f12f:83:face:b00c:0:25de",
            "2603:1030:20e:3::23c",
            "2600:1901:0:38d7::",
            "2a04:4e42:600::645",
            "2a01:4f8:10a:201::2",
            "2a02:26f0:127::1721",
            "2001:41d0:1:1b00:213:186:33:5",
            "2400:cb00:2048:1::c629:d7a2",
            "2a01:4f8:1:2:0:5efe:101:101",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
        ] {
            assert!(admits(&guard, text), "{text}");
        }
        // Behind any prefix, a public address is no reason.
        for bits in [32, 40, 48, 56, 64, 96] {
            let address = behind("2a01:4f8:122:344::", bits, [8, 8, 4, 4], 0);
            assert!(guard.admits(address.into()), "{address}");
        }
    }

    #[test]
    fn networks_can_be_allowed() {
        let guard = Guard::allowing(["10.1.0.0/16", " ::1 ", "127.0.0.1"]).unwrap();
        for text in ["10.1.255.1", "::1", "127.0.0.1", "::ffff:10.1.0.1", "1.1.1.1"] {
            assert!(admits(&guard, text), "{text}");
        }
        for text in ["10.2.0.1", "127.0.0.2", "::2"] {
            assert!(!admits(&guard, text), "{text}");
        }
        let wrong = Guard::allowing(["10.1.0.0/33"]).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "'10.1.0.0/33' is no network such as 10.1.0.0/16 or fd00::/8"
        );
    }
}
