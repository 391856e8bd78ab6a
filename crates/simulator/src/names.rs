//! Common first and last names, combined so that no pair repeats within a population.

const FIRST: [&str; 61] = [
    "Adele", "Alex", "Amara", "Anna", "Aya", "Ben", "Bianca", "Carlos", "Chen", "Clara", "Daniel",
    "Daria", "David", "Elena", "Elif", "Emil", "Emma", "Erik", "Fatima", "Felix", "Grace", "Hanna",
    "Hugo", "Ines", "Ivan", "Jana", "Jonas", "Julia", "Kaito", "Karin", "Kofi", "Lara", "Lee",
    "Lena", "Liam", "Lina", "Lucas", "Maja", "Marco", "Maria", "Mateo", "Mia", "Milan", "Mina",
    "Nadia", "Nina", "Noah", "Olga", "Omar", "Paula", "Peter", "Priya", "Rosa", "Sam", "Sara",
    "Sofia", "Tariq", "Tomas", "Vera", "Yuki", "Zoe",
];

const LAST: [&str; 79] = [
    "Abbas",
    "Adeyemi",
    "Ahmed",
    "Almeida",
    "Andersson",
    "Baker",
    "Banerjee",
    "Bauer",
    "Berg",
    "Bianchi",
    "Brown",
    "Carter",
    "Castro",
    "Chan",
    "Costa",
    "Dahl",
    "Das",
    "Diaz",
    "Dubois",
    "Evans",
    "Fernandez",
    "Fischer",
    "Fontaine",
    "Garcia",
    "Gomez",
    "Green",
    "Gruber",
    "Haas",
    "Hansen",
    "Hill",
    "Hoffmann",
    "Horvat",
    "Ito",
    "Ivanova",
    "Jansen",
    "Jensen",
    "Jones",
    "Kaya",
    "Keller",
    "Khan",
    "Kim",
    "Klein",
    "Kowalski",
    "Kumar",
    "Larsen",
    "Laurent",
    "Lee",
    "Lopez",
    "Martin",
    "Mehta",
    "Meyer",
    "Mori",
    "Moreau",
    "Nagy",
    "Nakamura",
    "Ng",
    "Nilsson",
    "Novak",
    "Okafor",
    "Olsen",
    "Patel",
    "Pereira",
    "Petrov",
    "Reyes",
    "Ricci",
    "Rossi",
    "Santos",
    "Sato",
    "Schmidt",
    "Silva",
    "Singh",
    "Smith",
    "Stone",
    "Suzuki",
    "Tanaka",
    "Torres",
    "Varga",
    "Weber",
    "Wong",
];

/// First and last name number `i`; different for every `i` below 4,819.
pub(crate) fn person(i: u64) -> (&'static str, &'static str) {
    let pairs = (FIRST.len() * LAST.len()) as u64;
    // 1009 has no divisor in common with 61 x 79, so the stride visits every pair.
    let pair = (i * 1009 % pairs) as usize;
    (FIRST[pair % FIRST.len()], LAST[pair / FIRST.len()])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_pair_of_names_repeats() {
        let distinct: HashSet<_> = (1000..1000 + 4819).map(person).collect();
        assert_eq!(distinct.len(), 4819);
    }
}
