//! Plain HTTP on a port that speaks TLS: without an answer, its sender sees a connection that breaks, and
//! nothing says why.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// First byte of a TLS connection: a record of type handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// Bytes of a request that are read before it is answered.
const REQUEST_BYTES: usize = 16 << 10;
/// How long the sender may take to read the answer.
const LINGER: Duration = Duration::from_secs(1);

const BODY: &str = "{\"error\":{\"code\":\"BadRequest\",\"message\":\"This port speaks HTTPS, and the \
                    request came as plain HTTP. Begin the address with https://.\"}}";

/// Gives a connection back if it may begin with TLS. One that begins with a letter, as each method of HTTP
/// does, is answered 400 and closed. `None` too if it ends or says nothing for as long as `patience`.
pub(crate) async fn refused(stream: TcpStream, patience: Duration) -> Option<TcpStream> {
    let mut first = [HANDSHAKE];
    match timeout(patience, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0].is_ascii_alphabetic() => {
            tracing::debug!("plain HTTP on the port of TLS");
            let _ = timeout(patience, answer(stream)).await;
            None
        }
        Ok(Ok(1)) => Some(stream),
        _ => None,
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    // What was sent must be read: closing a socket with unread bytes takes the answer back.
    let mut request = vec![0; REQUEST_BYTES];
    let _ = stream.read(&mut request).await?;
    let length = BODY.len();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(BODY.as_bytes()).await?;
    stream.shutdown().await?;
    let _ = timeout(LINGER, stream.read(&mut request)).await;
    Ok(())
}
