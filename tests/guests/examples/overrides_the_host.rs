//! Sends a Host header, and headers that proxies take for one.

use hostile_guests::*;

behaves!(try_all(&[
    (Method::Head, GRANTED, &[("host", "evil.example")]),
    (Method::Head, GRANTED, &[("Host", "evil.example")]),
    (Method::Head, GRANTED, &[("x-forwarded-host", "evil.example")]),
    (Method::Head, GRANTED, &[("forwarded", "host=evil.example")]),
    (Method::Head, GRANTED, &[("x-forwarded-for", "10.0.0.1")]),
    (Method::Head, GRANTED, &[("connection", "x-amz-date")]),
    (Method::Head, GRANTED, &[("transfer-encoding", "chunked")]),
    (Method::Head, GRANTED, &[("upgrade", "h2c")]),
    (Method::Head, GRANTED, &[("expect", "100-continue")]),
    (Method::Head, GRANTED, &[("proxy-authorization", "Basic eDp5")]),
    (Method::Head, GRANTED, &[("x-http-method-override", "DELETE")]),
]));
