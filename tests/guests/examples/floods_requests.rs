//! Begins a hundred thousand requests and waits for none.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let mut hoard = Vec::new();
    for number in 0..100_000 {
        let path = format!("/mybucket/flood-{number:06}?versionId=null");
        match begin(&scheme, &authority, &Method::Head, &path, Fields::new()) {
            Ok(future) => hoard.push(future),
            Err(_) => break,
        }
    }
    for future in &hoard {
        let _ = wait(future);
    }
    Ok(())
});
