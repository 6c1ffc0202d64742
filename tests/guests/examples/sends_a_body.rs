//! Sends a body with requests that have none.

use hostile_guests::wasi::http::outgoing_handler;
use hostile_guests::wasi::http::types::OutgoingBody;
use hostile_guests::*;

behaves!({
    let (scheme, authority) = server();
    let mut harmless = true;
    for length in [None, Some("5"), Some("0")] {
        let fields = Fields::new();
        if let Some(length) = length {
            let _ = fields.append("content-length", length.as_bytes());
        }
        let request = OutgoingRequest::new(fields);
        let _ = request.set_method(&Method::Head);
        let _ = request.set_scheme(Some(&scheme));
        let _ = request.set_authority(Some(&authority));
        let _ = request.set_path_with_query(Some(GRANTED));
        let body = request.body();
        let Ok(future) = outgoing_handler::handle(request, None) else { continue };
        if let Ok(body) = body {
            if let Ok(stream) = body.write() {
                let _ = stream.write(b"hello");
            }
            let _ = OutgoingBody::finish(body, None);
        }
        let result = wait(&future).map(|response| response.status());
        say(&format!("{length:?}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
});
