//! Writes of links, sessions and the access log of the pages.

use super::Store;
use crate::clock;
use crate::pending::Pending;
use crate::rows::page::{AccessRow, PageSessionRow, SignInLinkRow};
use crate::tables::pages;
use crate::writer::Weight;

impl Store {
    /// Keeps a link by which somebody signs in.
    pub fn put_sign_in_link(&self, link: SignInLinkRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            pages::insert_link(&session.connection, &link, clock::now())
        })
    }

    /// Takes a link and begins the session that `begin` makes of it, in one transaction. None if the link was
    /// taken, has expired or never was.
    pub fn sign_in(
        &self,
        code_hash: [u8; 32],
        begin: impl Fn(SignInLinkRow) -> PageSessionRow + Send + 'static,
    ) -> Pending<Option<PageSessionRow>> {
        self.submit(Weight::SMALL, move |session| {
            let connection = &session.connection;
            let Some(link) = pages::take_link(connection, &code_hash, clock::now())? else {
                return Ok(None);
            };
            let begun = begin(link);
            pages::insert_session(connection, &begun)?;
            Ok(Some(begun))
        })
    }

    /// Begins a session of somebody who needs no link.
    pub fn begin_page_session(&self, begun: PageSessionRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            pages::insert_session(&session.connection, &begun)
        })
    }

    /// Notes that a session was used.
    pub fn note_use_of_session(&self, id_hash: [u8; 32]) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| {
            pages::note_use(&session.connection, &id_hash, clock::now())
        })
    }

    /// Ends a session, or those of everybody together with all links; answers how many sessions there were.
    pub fn end_page_sessions(&self, id_hash: Option<[u8; 32]>) -> Pending<usize> {
        self.submit(Weight::SMALL, move |session| {
            pages::end_sessions(&session.connection, id_hash.as_ref().map(<[u8; 32]>::as_slice))
        })
    }

    /// Writes a line of the access log.
    pub fn note_access(&self, entry: AccessRow) -> Pending<()> {
        self.submit(Weight::SMALL, move |session| pages::note_access(&session.connection, &entry))
    }

    /// Removes links and sessions that have expired, and lines of the access log from before an instant
    /// (ticks).
    pub fn remove_old_accesses(&self, before: i64) -> Pending<()> {
        self.submit_background(Weight::SMALL, move |session| {
            pages::remove_old(&session.connection, clock::now(), before)
        })
    }
}
