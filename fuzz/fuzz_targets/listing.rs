//! The listing, cut at any place: no panic, and the same lines and items wherever the chunks end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resync_core::listing::{Lines, StatusTable, parse_line};

fn read(chunks: &[&[u8]]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    for chunk in chunks {
        let fed = lines.feed(chunk, |line| {
            found.push(line.trim_ascii().to_vec());
            true
        });
        fed.ok()?;
    }
    Some((found, lines.rest().to_vec()))
}

fuzz_target!(|input: (&[u8], u16, u16)| {
    let (body, a, b) = input;
    let first = usize::from(a).min(body.len());
    let second = usize::from(b).clamp(first, body.len());
    let whole = read(&[body]);
    assert_eq!(whole, read(&[&body[..first], &body[first..second], &body[second..]]));

    let mut table = StatusTable::default();
    for line in whole.map(|whole| whole.0).unwrap_or_default() {
        let Ok((item, _)) = parse_line(&line, &mut table) else { continue };
        assert!(!item.key.is_empty());
        assert!(table.get(item.statuses).is_some());
        let value: serde_json::Value =
            serde_json::from_slice(&line).expect("what was read is JSON");
        assert_eq!(value["object"], item.key);
    }
});
