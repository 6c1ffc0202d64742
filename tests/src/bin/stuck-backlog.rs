//! Makes a stuck backlog on a real MinIO server and keeps it until its standard input ends: for
//! demonstrations, benchmarks and looking around by hand.
//!
//! `stuck-backlog [COUNT [PREFIX]]` prints shell assignments (`ENDPOINT`, `TARGET`, `BUCKET`,
//! `ACCESS_KEY`, `SECRET_KEY`, `MC_HOST_source`, `MC_HOST_target`) once the backlog stands. `-k` as
//! the first argument keeps the target locked out, so that versions stay in the backlog however
//! often they are triggered: the same backlog serves many runs.

use std::env;
use std::io::{self, Read as _, Write as _};

use mc_wasi_tests::minio::{Pair, SOURCE_BUCKET};

fn main() -> io::Result<()> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let keep = arguments.first().is_some_and(|argument| argument == "-k");
    let mut arguments = arguments.drain(usize::from(keep)..);
    let count =
        arguments.next().map_or(Ok(1000), |count| count.parse()).map_err(io::Error::other)?;
    let prefix = arguments.next().unwrap_or_else(|| "obj-".to_owned());

    let mut pair = Pair::start();
    pair.stick();
    pair.put_many(&prefix, count, b"hello");
    pair.wait_backlog(count);
    if !keep {
        pair.release();
    }
    let mut out = io::stdout().lock();
    writeln!(out, "ENDPOINT={}", pair.source().url())?;
    writeln!(out, "TARGET={}", pair.target().url())?;
    writeln!(out, "BUCKET={SOURCE_BUCKET}")?;
    writeln!(out, "ACCESS_KEY={}", pair.source().root().access)?;
    writeln!(out, "SECRET_KEY={}", pair.source().root().secret)?;
    for (name, url) in pair.mc().env() {
        writeln!(out, "{name}={url}")?;
    }
    drop(out);
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
