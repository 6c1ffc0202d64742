//! Each fault, and what it leaves of the answer.

use std::io::Read;
use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::super::*;
use super::{DIFF, five, path_of, read, request, send, server};

#[test]
fn each_cut_ends_the_listing_in_its_way() {
    let table = [
        // how, whole entries, has more after them, ends properly
        (Cut::InsideChunk, 3, false, false),
        (Cut::InsideLine, 3, true, false),
        (Cut::BetweenChunks, 3, false, false),
        (Cut::HalfLine, 3, true, true),
        (Cut::Silent, 3, false, true),
        (Cut::ErrorText, 4, false, true),
        (Cut::ErrorObject, 4, false, true),
    ];
    let server = server(five());
    for (how, lines, has_more, whole) in table {
        server.inject(Fault::on(Route::Diff, Effect::Cut { after: 3, how }));
        let reply = send(&server, "POST", DIFF);
        server.clear_faults();
        assert_eq!(reply.body.matches('\n').count(), lines, "{how:?}: {reply:?}");
        assert_eq!(!reply.body.ends_with('\n'), has_more, "{how:?}: {reply:?}");
        assert_eq!(reply.whole, whole, "{how:?}: {reply:?}");
        let promised: usize = reply.chunks.iter().sum();
        let inside = matches!(how, Cut::InsideChunk | Cut::InsideLine);
        assert_eq!(promised > reply.body.len(), inside, "{how:?}: {reply:?}");
    }
    server.inject(Fault::on(Route::Diff, Effect::Cut { after: 3, how: Cut::Reset }));
    assert!(send(&server, "POST", DIFF).reset);
}

#[test]
fn a_cut_before_the_first_entry_still_has_a_head() {
    let server = server(five());
    for how in [Cut::InsideChunk, Cut::InsideLine] {
        server.inject(Fault::on(Route::Diff, Effect::Cut { after: 0, how }).times(1));
        let reply = send(&server, "POST", DIFF);
        assert_eq!((reply.status, reply.whole, reply.lines()), (200, false, reply.lines().min(1)));
    }
}

#[test]
fn listings_pause_with_and_without_spaces() {
    let server = server(five());
    let length = Duration::from_millis(1200);
    for (keepalive, spaces) in [(true, 2), (false, 0)] {
        server
            .inject(Fault::on(Route::Diff, Effect::Pause { after: 2, length, keepalive }).times(1));
        let started = Instant::now();
        let reply = send(&server, "POST", DIFF);
        assert!(started.elapsed() >= length);
        assert_eq!((reply.lines(), reply.body.matches("\n ").count()), (5, spaces.min(1)));
        assert_eq!(reply.body.matches(' ').count(), spaces, "{reply:?}");
    }
    let empty = FakeServer::start(Options::default());
    empty.inject(Fault::on(Route::Diff, Effect::Pause { after: 0, length, keepalive: true }));
    let reply = send(&empty, "POST", DIFF);
    assert_eq!((reply.body.as_str(), reply.whole), ("  ", true), "an empty result after a while");
}

#[test]
fn listings_come_in_chunks_of_any_size_and_with_odd_entries() {
    let server = server(five());
    let plain = send(&server, "POST", DIFF).body;
    for (chunks, max) in
        [(Chunks::Of(1), 1), (Chunks::Of(7), 7), (Chunks::Random { seed: 3, max: 50 }, 50)]
    {
        server.inject(Fault::on(Route::Diff, Effect::Chunks(chunks)).times(1));
        let reply = send(&server, "POST", DIFF);
        assert_eq!(reply.body, plain);
        let largest = reply.chunks.iter().max().unwrap();
        assert!(*largest <= max && *largest > max * 3 / 4, "{chunks:?}: {largest}");
    }
    server.inject(Fault::on(Route::Diff, Effect::Keyless { after: 1 }));
    let reply = send(&server, "POST", DIFF);
    assert_eq!(reply.lines(), 6);
    assert!(reply.body.lines().nth(1).unwrap().starts_with(r#"{"versionId":"null""#), "{reply:?}");
}

#[test]
fn answers_are_replaced_by_errors_pages_and_redirects() {
    let version = Version::put("a");
    let (server, target) = (server([version.clone()]), path_of(&version));
    let inject = |route, effect| server.inject(Fault::on(route, effect).times(1));
    inject(Route::Head, Effect::Answer(S3Error::new(503, "SlowDownRead").retry_after(7)));
    let reply = send(&server, "HEAD", &target);
    assert_eq!(
        (reply.status, reply.code(), reply.header("retry-after")),
        (503, "SlowDownRead", Some("7"))
    );
    inject(Route::Head, Effect::Answer(S3Error::new(429, "TooManyRequests")));
    let reply = send(&server, "HEAD", &target);
    assert_eq!((reply.status, reply.code()), (429, ""));
    inject(Route::Head, Effect::Replica);
    assert_eq!(send(&server, "HEAD", &target).header("x-amz-replication-status"), Some("REPLICA"));
    inject(Route::Head, Effect::Redirect("http://127.0.0.1:1/elsewhere".into()));
    let reply = send(&server, "HEAD", &target);
    assert_eq!(
        (reply.status, reply.header("location")),
        (307, Some("http://127.0.0.1:1/elsewhere"))
    );
    let page = "<html>login</html>";
    inject(
        Route::Diff,
        Effect::Page { status: 200, content_type: "text/html".into(), body: page.into() },
    );
    assert_eq!(send(&server, "POST", DIFF).body, page);
    inject(Route::Diff, Effect::Answer(S3Error::new(503, "SlowDownRead").retry_after(60)));
    assert_eq!(send(&server, "POST", DIFF).header("content-type"), Some("application/xml"));
    assert_eq!(server.triggers(), (0, 0), "none of these had an effect");
}

#[test]
fn connections_end_before_or_after_the_effect() {
    let version = Version::put("a").inert();
    let (server, target) = (server([version.clone()]), path_of(&version));
    let inject = |effect| server.inject(Fault::on(Route::Head, effect).times(1));
    inject(Effect::Close);
    let reply = send(&server, "HEAD", &target);
    assert_eq!((reply.status, reply.reset), (0, false));
    inject(Effect::Reset);
    assert!(send(&server, "HEAD", &target).reset);
    assert_eq!(server.triggers(), (0, 0));
    inject(Effect::CloseAfter(0));
    assert_eq!(send(&server, "HEAD", &target).status, 0);
    assert_eq!(server.triggers(), (1, 0), "the answer was lost, not the request");
    inject(Effect::CloseAfter(20));
    let mut stream = request(&server, "HEAD", &target, "us-east-1", &[]);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 20);
    assert_eq!(server.log().iter().filter(|logged| logged.status.is_none()).count(), 2);
}

#[test]
fn answers_come_late_or_never() {
    let version = Version::put("a");
    let (server, target) = (server([version.clone()]), path_of(&version));
    let delay = Duration::from_millis(200);
    server.inject(Fault::on(Route::Head, Effect::Delay(delay)).times(1));
    let started = Instant::now();
    assert_eq!(send(&server, "HEAD", &target).status, 200);
    assert!(started.elapsed() >= delay);
    server.inject(Fault::on(Route::Head, Effect::Hang).times(1));
    let mut stream = request(&server, "HEAD", &target, "us-east-1", &[]);
    stream.set_read_timeout(Some(delay)).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "nothing comes");
    stream.shutdown(Shutdown::Both).unwrap();
}

#[test]
fn more_requests_than_allowed_are_turned_away() {
    let options = Options { max_requests: Some(2), retry_after: Some(1), ..Options::default() };
    let server = FakeServer::start(options);
    server.push(Version::put("a").inert());
    server.inject(Fault::on(Route::Head, Effect::Delay(Duration::from_millis(500))));
    let target = path_of(&Version::put("a"));
    let mut streams: Vec<_> =
        (0..4).map(|_| request(&server, "HEAD", &target, "us-east-1", &[])).collect();
    let replies: Vec<_> = streams.iter_mut().map(|stream| read(stream, "HEAD")).collect();
    let refused: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0].header("retry-after"), Some("1"));
    assert_eq!(refused[0].header("x-ratelimit-limit"), Some("2"));
    assert!(server.peak_in_flight() >= 3);
    assert_eq!((server.connections(), server.open_connections()), (4, 4));
}

#[test]
fn a_slow_reader_is_cut_off() {
    let options = Options {
        write_deadline: Some(Duration::from_millis(200)),
        send_buffer: Some(8 * 1024),
        ..Options::with_backlog(Backlog::synthetic(100_000, 1))
    };
    let server = FakeServer::start(options);
    let mut stream = request(&server, "POST", DIFF, "", &[]);
    std::thread::sleep(Duration::from_secs(1));
    let reply = read(&mut stream, "POST");
    assert!(!reply.whole && reply.lines() < 100_000);
}
