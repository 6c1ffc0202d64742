//! Asks another port of the granted host, which it finds among its own arguments.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let host = authority.split(':').next().unwrap_or_default();
    let mut harmless = true;
    // The test names the port of another server by --arn.
    let port = wasi::cli::environment::get_arguments()
        .into_iter()
        .find_map(|word| word.strip_prefix("--arn=").map(str::to_owned))
        .unwrap_or_default();
    for other in [format!("{host}:{port}"), host.to_owned()] {
        let result = ask(&scheme, &other, &Method::Head, GRANTED, &[]);
        say(&format!("{other}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
});
