//! What other nodes commit, as soon as they do (PostgreSQL, "LISTEN", "NOTIFY").
//!
//! Only a hint: whoever follows the change log looks from time to time all the same, so it does no
//! harm when one is lost with its connection.

use std::future::poll_fn;
use std::time::Duration;

use tokio_postgres::AsyncMessage;

use super::Driver;

/// Commits something that other nodes may wait for, and tells them.
pub(crate) const NOTICE: &str = "NOTIFY callvault; COMMIT";
const LISTEN: &str = "LISTEN callvault";
/// How long is waited before a connection is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Calls `told` with each commit of a node, until it says that nobody listens any more.
pub(crate) fn listen(driver: &Driver, told: impl Fn() -> bool + Send + Sync + 'static) {
    let connecting = driver.clone();
    driver.spawn(async move {
        loop {
            if let Err(error) = follow(&connecting, &told).await {
                tracing::debug!(%error, "no word of the commits of other nodes");
            }
            // What was committed meanwhile is looked for.
            if !told() {
                break;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    });
}

async fn follow(
    driver: &Driver,
    told: &(impl Fn() -> bool + Send + Sync),
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = driver.connect().await?;
    let listening = tokio::spawn(async move {
        // Held as long as the connection is followed.
        client.batch_execute(LISTEN).await.map(|()| client)
    });
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message?, AsyncMessage::Notification(_)) && !told() {
            break;
        }
    }
    listening.abort();
    Ok(())
}
