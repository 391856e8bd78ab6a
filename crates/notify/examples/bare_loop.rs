//! Sends the lines of a file to addresses, as a bare HTTP client does it: one request after the other
//! to each address, all addresses at a time. Prints the seconds.
//!
//! `cargo run --release --package notify --example bare_loop -- FILE REQUESTS URL...`
#![allow(clippy::print_stdout, reason = "the figure is its output")]

use std::error::Error;
use std::rc::Rc;
use std::time::Instant;

use reqwest::header::CONTENT_TYPE;
use tokio::runtime::{Builder, LocalOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = std::fs::read(arguments.next().ok_or("which file?")?)?;
    let requests: usize = arguments.next().ok_or("how many requests?")?.parse()?;
    let bodies: Vec<Vec<u8>> =
        file.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()).map(<[u8]>::to_vec).collect();
    let bodies = Rc::new(bodies);
    let client = reqwest::Client::builder().no_proxy().build()?;
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let began = Instant::now();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for url in arguments {
            let (client, bodies) = (client.clone(), Rc::clone(&bodies));
            tasks.push(tokio::task::spawn_local(async move {
                for body in bodies.iter().cycle().take(requests) {
                    let request = client
                        .post(&url)
                        .header(CONTENT_TYPE, "application/json; charset=utf-8")
                        .header("webhook-id", "msg_11111111aaaa4bbb8ccc000000000001_1_50")
                        .header("webhook-timestamp", "1795694400")
                        .header(
                            "webhook-signature",
                            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
                        )
                        .body(body.clone());
                    request.send().await?.error_for_status()?.bytes().await?;
                }
                Ok::<(), reqwest::Error>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    println!("{}", began.elapsed().as_secs_f64());
    Ok(())
}
