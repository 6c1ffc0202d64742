//! What the command prints and how it ends, on the fake server.

use mc_wasi_tests::fake::{FakeServer, Options};
use mc_wasi_tests::mcwasi::McWasi;

fn mc_wasi() -> McWasi {
    McWasi::new(env!("CARGO_BIN_EXE_mc-wasi"))
}

#[test]
fn the_output_is_that_of_the_manual() {
    let server = FakeServer::start(Options::with_backlog(mc_wasi_tests::fake::Backlog::demo()));
    let ran = mc_wasi().alias("myaistor", &server.alias_url()).run(&["myaistor/mybucket"]);
    assert_eq!(
        ran.stdout,
        "✓ Replication trigger completed
  Total: 150
  Processed: 148
  Failed: 2

⚠ Some objects failed to trigger replication.
  You can re-run this command to retry failed objects:
  $ mc-wasi replicate resync-backlog myaistor/mybucket
"
    );
    assert_eq!(ran.status, 1);
    assert_eq!(server.triggers(), (148, 0));
    assert_eq!(server.bad_signatures(), 0);
}
