//! Begins listings and never reads what comes.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let path = "/minio/admin/v3/replication/diff?bucket=mybucket";
    let mut hoard = Vec::new();
    for _ in 0..5 {
        let Ok(future) = begin(&scheme, &authority, &Method::Post, path, Fields::new()) else {
            return Err(());
        };
        let Ok(response) = wait(&future) else { return Err(()) };
        let Ok(body) = response.consume() else { return Err(()) };
        let stream = body.stream();
        hoard.push((response, stream, body));
    }
    say("begun");
    wasi::clocks::monotonic_clock::subscribe_duration(3_000_000_000).block();
    std::mem::forget(hoard);
    Ok(())
});
