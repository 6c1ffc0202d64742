//! Opens files, by the standard library, which imports a file system.

use hostile_guests::*;

behaves!({
    for file in ["/etc/passwd", "/proc/self/environ", ".mc/config.json"] {
        if let Ok(text) = std::fs::read_to_string(file) {
            say(&text);
            return Err(());
        }
    }
    Ok(())
});
