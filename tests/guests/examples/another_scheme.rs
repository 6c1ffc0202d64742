//! Asks the granted host by another scheme.

use hostile_guests::*;

behaves!({
    let (_, authority) = server();
    let mut harmless = true;
    for scheme in [Scheme::Https, Scheme::Other("ftp".to_owned()), Scheme::Other("file".to_owned())]
    {
        let result = ask(&scheme, &authority, &Method::Head, GRANTED, &[]);
        say(&format!("{scheme:?}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
});
