//! What the numbers of Entra's refusals mean (`AADSTS…`), and who has to do what.

/// Who can put something right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responsible {
    /// The operator of the mirror.
    Operator,
    /// The administrator of the tenant.
    Administrator,
    /// The operator of the network between.
    Network,
    /// The operator of the source.
    Source,
}

impl Responsible {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "you",
            Self::Administrator => "tenant administrator",
            Self::Network => "network",
            Self::Source => "source",
        }
    }
}

/// What to do about a number.
pub(crate) fn advice(number: Option<u64>) -> (Responsible, &'static str) {
    use Responsible::{Administrator, Operator};
    match number {
        Some(7_000_215) => (Operator, "the secret is wrong: give the secret's value, not its id"),
        Some(7_000_222) => {
            (Operator, "the secret has expired: make a new one, and run `mirror add` with it")
        }
        Some(700_016) => {
            (Administrator, "the tenant has no such application: check both, and the consent")
        }
        Some(90_002) => (Operator, "there is no such tenant"),
        Some(7_000_112) => (Administrator, "the application is disabled in the tenant"),
        Some(53_003) => (Administrator, "a policy of conditional access keeps the application out"),
        Some(700_027) => (
            Operator,
            "the certificate is not one of the application's, or has expired: upload it, or give the new one",
        ),
        Some(700_021) => (Operator, "the assertion names another application: check the client id"),
        Some(700_023) => {
            (Operator, "the assertion is for another address: check tenant and authority")
        }
        Some(700_024) => {
            (Operator, "the assertion's time does not hold: set the clock of this machine")
        }
        Some(70_021 | 700_211 | 700_212 | 700_213) => (
            Administrator,
            "no federated credential of the application has this issuer, subject and audience",
        ),
        Some(50_013) => (Operator, "the federated token's signature does not hold"),
        Some(50_027) => (Operator, "the federated token is no JWT"),
        _ => (Operator, "check tenant, application and credential"),
    }
}
