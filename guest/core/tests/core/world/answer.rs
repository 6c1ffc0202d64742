//! Answers as a server words them.

use resync_core::wire::Response;

/// An answer without a body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)]) -> Response {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Response { status, headers, body: Vec::new() }
}

pub(crate) fn xml(status: u16, document: &str) -> Response {
    let mut response = answer(status, &[("content-type", "application/xml")]);
    response.body = document.as_bytes().to_vec();
    response
}

pub(crate) fn json(document: &str) -> Response {
    Response { body: document.as_bytes().to_vec(), ..answer(200, &[]) }
}

/// An error as the S3 API words it.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Response {
    xml(status, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}
