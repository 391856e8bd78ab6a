//! Networks in order, each with the one that it lies in.

use crate::address::Network;

/// No network.
const NONE: u32 = u32::MAX;

/// Networks by their first addresses, those of the shorter prefix first. Two networks either have no
/// address in common, or one lies in the other: so the last one that does not begin behind an address
/// contains it, or lies in whatever does.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    networks: Vec<Network>,
    /// The smallest network that each lies in.
    parents: Vec<u32>,
    /// The row of each.
    rows: Vec<u32>,
}

/// A network that stands within another, or in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlap {
    pub(crate) row: u32,
    /// The row of the other network.
    pub(crate) within: u32,
    pub(crate) is_same: bool,
}

impl Networks {
    /// Orders networks, each with its row.
    pub(crate) fn new(mut rows: Vec<(Network, u32)>) -> Self {
        rows.sort_unstable();
        let mut built = Self {
            networks: Vec::with_capacity(rows.len()),
            parents: Vec::with_capacity(rows.len()),
            rows: Vec::with_capacity(rows.len()),
        };
        let mut open: Vec<u32> = Vec::new();
        for (network, row) in rows {
            while let Some(last) = open.last()
                && !built.networks[*last as usize].contains(network.start)
            {
                open.pop();
            }
            built.parents.push(open.last().copied().unwrap_or(NONE));
            open.push(built.networks.len() as u32);
            built.networks.push(network);
            built.rows.push(row);
        }
        built
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// The row of the smallest network that contains an address, and the length of its prefix.
    pub(crate) fn find(&self, address: u128) -> Option<(u8, u32)> {
        let behind = self.networks.partition_point(|network| network.start <= address);
        let mut at = behind.checked_sub(1)?;
        while !self.networks[at].contains(address) {
            match self.parents[at] {
                NONE => return None,
                parent => at = parent as usize,
            }
        }
        Some((self.networks[at].length(), self.rows[at]))
    }

    /// The networks that lie in another one of these.
    pub(crate) fn overlaps(&self) -> impl Iterator<Item = Overlap> {
        (0..self.networks.len()).filter(|at| self.parents[*at] != NONE).map(|at| {
            let parent = self.parents[at] as usize;
            Overlap {
                row: self.rows[at],
                within: self.rows[parent],
                is_same: self.networks[parent] == self.networks[at],
            }
        })
    }
}
