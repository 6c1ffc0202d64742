//! Asks a server that nobody named.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let port = authority.rsplit(':').next().unwrap_or_default();
    let mut harmless = true;
    for other in [
        format!("localhost:{port}"),
        format!("127.0.0.2:{port}"),
        format!("x@{authority}"),
        "169.254.169.254".to_owned(),
    ] {
        let result = ask(&scheme, &other, &Method::Head, GRANTED, &[]);
        say(&format!("{other}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
});
