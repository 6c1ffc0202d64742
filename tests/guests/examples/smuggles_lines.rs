//! Puts line ends into headers, paths, hosts and methods.

use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let mut all = try_all(&[
        (Method::Head, GRANTED, &[("user-agent", "a\r\nx-amz-acl: public-read")]),
        (Method::Head, GRANTED, &[("user-agent", "a\nDELETE /mybucket/k HTTP/1.1")]),
        (Method::Head, GRANTED, &[("user-agent\r\nx-evil", "a")]),
        (Method::Head, GRANTED, &[("user-agent", "a\0b")]),
        (
            Method::Head,
            "/mybucket/k?versionId=null HTTP/1.1\r\nx-evil: 1\r\n\r\nDELETE /mybucket/k",
            &[],
        ),
        (Method::Head, "/mybucket/k?versionId=null\n", &[]),
        (Method::Head, "/mybucket/k%0d%0a?versionId=null%0D%0Ax:", &[]),
    ]);
    let evil = format!("{authority}\r\nx-evil: 1");
    let result = ask(&scheme, &evil, &Method::Head, GRANTED, &[]);
    say(&format!("authority: {result:?}"));
    if result.is_ok() {
        all = Err(());
    }
    all
});
