//! The connections of all threads as the one that accepts them sees it: how many there are, from where,
//! and which go first when there is no place for another.
//!
//! Whoever showed a valid token once keeps its place. Of the others those are expendable that keep us
//! waiting: for a handshake, a head, a body, the next request, or for taking an answer; the one that has
//! been here longest goes first. So senders that drip make nobody wait, however many they are.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How long is waited for a place before somebody is looked for again who could go.
const LOOKED_AGAIN: Duration = Duration::from_millis(20);

/// All connections.
#[derive(Debug)]
pub struct ConnectionTable {
    places: Arc<Semaphore>,
    most: usize,
    most_of_address: usize,
    present: Mutex<TableState>,
    cut: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct TableState {
    next: u64,
    /// In the order in which they came, without those that were told to go.
    peers: BTreeMap<u64, Arc<Peer>>,
    of_address: HashMap<IpAddr, usize>,
}

/// The other side of a connection.
#[derive(Debug)]
pub struct Peer {
    /// Where it comes from, as far as it counts.
    address: IpAddr,
    has_token: AtomicBool,
    keeps_us_waiting: AtomicBool,
    /// Bytes of answers on their way to it.
    in_flight: AtomicU64,
    gone: Notify,
}

/// A place among the connections, free again when it is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    connection_table: Arc<ConnectionTable>,
    number: u64,
    /// Who has it.
    pub peer: Arc<Peer>,
    _place: OwnedSemaphorePermit,
}

impl ConnectionTable {
    /// Places for so many, and for so many from one address.
    pub fn new(most: usize, most_of_address: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            most_of_address,
            present: Mutex::default(),
            cut: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// A place for a connection, made free if need be; waits where nobody can go. `None` if there are
    /// too many from its address.
    pub async fn slot(self: &Arc<Self>, from: IpAddr) -> Option<ConnectionSlot> {
        let address = counted(from);
        if self.count_of(address) >= self.most_of_address && !self.cut(Some(address)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let place = loop {
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                break place;
            }
            self.cut(None);
            let freed = Arc::clone(&self.places).acquire_owned();
            if let Ok(place) = tokio::time::timeout(LOOKED_AGAIN, freed).await {
                // Never closed.
                break place.ok()?;
            }
        };
        let peer = Arc::new(Peer::new(address));
        let mut present = self.present();
        let number = present.next;
        present.next += 1;
        present.peers.insert(number, Arc::clone(&peer));
        *present.of_address.entry(address).or_default() += 1;
        drop(present);
        Some(ConnectionSlot { connection_table: Arc::clone(self), number, peer, _place: place })
    }

    /// Tells one to go, from an address or from anywhere; whether there was one.
    fn cut(&self, address: Option<IpAddr>) -> bool {
        let mut present = self.present();
        let is_expendable = |peer: &Peer| {
            address.is_none_or(|address| peer.address == address) && peer.is_expendable()
        };
        let first = present.peers.iter().find(|(_, peer)| is_expendable(peer));
        let Some((number, peer)) = first.map(|(number, peer)| (*number, Arc::clone(peer))) else {
            return false;
        };
        present.remove(number);
        drop(present);
        peer.gone.notify_one();
        self.cut.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Waits until all have gone.
    pub async fn empty(&self) {
        // Never closed.
        let _ = self.places.acquire_many(self.most as u32).await;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// How many had to go.
    pub fn cut_so_far(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// How many were not taken in.
    pub fn refused_so_far(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn count_of(&self, address: IpAddr) -> usize {
        self.present().of_address.get(&address).copied().unwrap_or(0)
    }

    fn present(&self) -> MutexGuard<'_, TableState> {
        // Nothing is left half done in it.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TableState {
    fn remove(&mut self, number: u64) {
        let Some(peer) = self.peers.remove(&number) else { return };
        if let Some(count) = self.of_address.get_mut(&peer.address) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&peer.address);
            }
        }
    }
}

impl Peer {
    /// One at an address, which keeps us waiting.
    pub fn new(address: IpAddr) -> Self {
        Self {
            address,
            has_token: AtomicBool::new(false),
            keeps_us_waiting: AtomicBool::new(true),
            in_flight: AtomicU64::new(0),
            gone: Notify::new(),
        }
    }

    /// It showed a valid token.
    pub fn shows_token(&self) {
        self.has_token.store(true, Ordering::Relaxed);
    }

    /// Whether it is its turn, and nothing that it asked for is being worked on.
    pub fn keeps_us_waiting(&self, waiting: bool) {
        self.keeps_us_waiting.store(waiting, Ordering::Relaxed);
    }

    /// Where it comes from, as far as it counts.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Bytes of answers on their way to it.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Bytes are on their way to it.
    pub fn takes(&self, bytes: u64) {
        self.in_flight.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes are on their way no more.
    pub fn took(&self, bytes: u64) {
        self.in_flight.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Waits until it has to go.
    pub async fn must_go(&self) {
        self.gone.notified().await;
    }

    fn is_expendable(&self) -> bool {
        self.keeps_us_waiting.load(Ordering::Relaxed) && !self.has_token.load(Ordering::Relaxed)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connection_table.present().remove(self.number);
    }
}

/// What of an address counts: of IPv6 the network, of which any one machine has all addresses.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn must_go(slot: &ConnectionSlot) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(slot.peer.must_go()).poll(&mut context).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_waits_longest_without_a_token_goes_first() {
        let connection_table = Arc::new(ConnectionTable::new(3, 3));
        let mut seats = Vec::new();
        for last in 1..=3 {
            seats.push(connection_table.slot(address(last)).await.unwrap());
        }
        seats[0].peer.shows_token();
        seats[1].peer.keeps_us_waiting(false);
        assert_eq!(connection_table.count(), 3);
        let mut fourth = Box::pin(connection_table.slot(address(4)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(fourth.as_mut().poll(&mut context).is_pending());
        let told: Vec<bool> = seats.iter().map(must_go).collect();
        assert_eq!(told, [false, false, true]);
        seats.pop();
        let fourth = fourth.await.unwrap();
        fourth.peer.shows_token();
        assert_eq!(connection_table.cut_so_far(), 1);

        // Nobody can go, until one begins to keep us waiting.
        let mut fifth = Box::pin(connection_table.slot(address(5)));
        for _ in 0..3 {
            assert!(fifth.as_mut().poll(&mut context).is_pending());
            tokio::time::sleep(LOOKED_AGAIN).await;
        }
        assert!(seats.iter().chain([&fourth]).all(|slot| !must_go(slot)));
        seats[1].peer.keeps_us_waiting(true);
        for _ in 0..2 {
            assert!(fifth.as_mut().poll(&mut context).is_pending());
            tokio::time::sleep(LOOKED_AGAIN).await;
        }
        assert!(must_go(&seats[1]));
        seats.pop();
        fifth.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_takes_more_than_its_places() {
        let connection_table = Arc::new(ConnectionTable::new(10, 2));
        let first = connection_table.slot(address(1)).await.unwrap();
        let second = connection_table.slot(address(1)).await.unwrap();
        let other = connection_table.slot(address(2)).await.unwrap();
        let third = connection_table.slot(address(1)).await.unwrap();
        assert!(must_go(&first) && !must_go(&second) && !must_go(&other));
        for slot in [&second, &third] {
            slot.peer.shows_token();
        }
        assert!(connection_table.slot(address(1)).await.is_none());
        assert_eq!((connection_table.cut_so_far(), connection_table.refused_so_far()), (1, 1));
        drop(third);
        assert!(connection_table.slot(address(1)).await.is_some());
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let same = |one: &str, other: &str| {
            counted(one.parse().unwrap()) == counted(other.parse().unwrap())
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:0:0:2"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }
}
