//! Asks for something granted, is sent elsewhere, and goes there.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let Ok(future) = begin(&scheme, &authority, &Method::Head, GRANTED, Fields::new()) else {
        return Err(());
    };
    let Ok(response) = wait(&future) else { return Err(()) };
    let location = response.headers().get("location").into_iter().next().unwrap_or_default();
    let location = String::from_utf8_lossy(&location).into_owned();
    say(&format!("{} {location}", response.status()));
    let bait = location.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
    let Some((host, path)) = bait else { return Err(()) };
    let result = ask(&Scheme::Http, host, &Method::Get, &format!("/{path}"), &[]);
    say(&format!("followed: {result:?}"));
    if response.status() == 307 && result.is_err() { Ok(()) } else { Err(()) }
});
