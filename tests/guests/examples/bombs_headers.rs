//! Makes headers larger than any server takes, and many of them.

use hostile_guests::*;

behaves!({
    let mut hoard = Vec::new();
    let value = vec![b'a'; 8 << 10];
    for _ in 0..1_000_000 {
        let fields = Fields::new();
        let mut added = 0u32;
        while added < 1_000 && fields.append("user-agent", &value).is_ok() {
            added += 1;
        }
        if hoard.is_empty() {
            say(&format!("{added} headers"));
        }
        hoard.push(fields);
    }
    Err(())
});
