//! What the hostile components have in common: the bindings of the world of commands, and requests to make.

wit_bindgen::generate!({
    world: "command",
    path: "../../wit",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "hostile_guests",
});

pub use wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingRequest, Scheme,
};

use wasi::cli::{environment, stdout};
use wasi::http::outgoing_handler;

/// Makes a function the component's `wasi:cli/run`.
#[macro_export]
macro_rules! behaves {
    ($behaviour:expr) => {
        struct Component;
        impl $crate::exports::wasi::cli::run::Guest for Component {
            fn run() -> Result<(), ()> {
                $behaviour
            }
        }
        $crate::export!(Component with_types_in $crate);
    };
}

/// The server the sandbox is for: scheme and authority of the one alias in the environment.
pub fn server() -> (Scheme, String) {
    let alias = environment::get_environment()
        .into_iter()
        .find_map(|(name, value)| name.starts_with("MC_HOST_").then_some(value))
        .unwrap_or_default();
    match alias.strip_prefix("https://") {
        Some(authority) => (Scheme::Https, authority.to_owned()),
        None => (Scheme::Http, alias.trim_start_matches("http://").to_owned()),
    }
}

/// A version of the granted bucket.
pub const GRANTED: &str = "/mybucket/k?versionId=null";

/// Writes a line to stdout.
pub fn say(text: &str) {
    let stream = stdout::get_stdout();
    let _ = stream.blocking_write_and_flush(format!("{text}\n").as_bytes());
}

/// Sends a request and returns the status, or the error's name.
pub fn ask(
    scheme: &Scheme,
    authority: &str,
    method: &Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<u16, String> {
    let list: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
    let fields = Fields::from_list(&list).map_err(|error| format!("headers: {error:?}"))?;
    let future = begin(scheme, authority, method, path, fields)?;
    Ok(wait(&future)?.status())
}

/// The headers of the answer to a HEAD.
#[allow(clippy::result_unit_err, reason = "it is the result of wasi:cli/run")]
pub fn headers_of(
    scheme: &Scheme,
    authority: &str,
    path: &str,
) -> Result<Vec<(String, String)>, ()> {
    let future = begin(scheme, authority, &Method::Head, path, Fields::new()).map_err(|_| ())?;
    let answer = wait(&future).map_err(|_| ())?;
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    Ok(answer.headers().entries().into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Hands a request over without waiting for its answer.
pub fn begin(
    scheme: &Scheme,
    authority: &str,
    method: &Method,
    path: &str,
    fields: Fields,
) -> Result<FutureIncomingResponse, String> {
    let request = OutgoingRequest::new(fields);
    request.set_method(method).map_err(|()| "method".to_owned())?;
    request.set_scheme(Some(scheme)).map_err(|()| "scheme".to_owned())?;
    request.set_authority(Some(authority)).map_err(|()| "authority".to_owned())?;
    request.set_path_with_query(Some(path)).map_err(|()| "path".to_owned())?;
    outgoing_handler::handle(request, None).map_err(|code| code.to_string())
}

/// Waits for an answer.
pub fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(answer)) => answer.map_err(|code| code.to_string()),
        _ => Err("no answer".to_owned()),
    }
}

/// A request to try: method, path and headers.
pub type Attempt<'a> = (Method, &'a str, &'a [(&'a str, &'a str)]);

/// Asks the granted server for each of these and says what came of it. Succeeds if all failed.
#[allow(clippy::result_unit_err, reason = "it is the result of wasi:cli/run")]
pub fn try_all(attempts: &[Attempt<'_>]) -> Result<(), ()> {
    let (scheme, authority) = server();
    let mut harmless = true;
    for (method, path, headers) in attempts {
        let result = ask(&scheme, &authority, method, path, headers);
        say(&format!("{method:?} {path}: {result:?}"));
        harmless &= result.is_err();
    }
    if harmless { Ok(()) } else { Err(()) }
}
