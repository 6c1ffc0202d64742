//! Deletes, reads and lists what it may only look at.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Delete, GRANTED, &[]),
    (Method::Delete, "/mybucket", &[]),
    (Method::Get, GRANTED, &[]),
    (Method::Post, "/mybucket?delete", &[]),
    (Method::Options, GRANTED, &[]),
    (Method::Trace, GRANTED, &[]),
    (Method::Connect, GRANTED, &[]),
    (Method::Patch, GRANTED, &[]),
    (Method::Other("PURGE".to_owned()), GRANTED, &[]),
    (Method::Other("HEAD /mybucket/k HTTP/1.1\r\nx:".to_owned()), GRANTED, &[]),
]));
