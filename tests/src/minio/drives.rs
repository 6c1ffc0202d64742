//! Drives that a server loses while it runs, and gets back.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::server::Minio;

/// The server may make a folder again while it is being removed.
const IN_THE_WAY: Duration = Duration::from_secs(10);

impl Minio {
    /// Takes the first drives away from under the server, as an unmounted disk would be. Half of
    /// them and one more are more than it can read without.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn lose_drives(&self, count: usize) {
        for drive in self.data_dirs().take(count) {
            fs::rename(&drive, lost(&drive)).expect("a drive to take away");
        }
    }

    /// Gives back what [`Minio::lose_drives`] took.
    ///
    /// # Panics
    /// When the server does not let go of what it has put in their places.
    pub fn return_drives(&self) {
        let began = Instant::now();
        for drive in self.data_dirs().filter(|drive| lost(drive).is_dir()) {
            while let Err(error) = fs::rename(lost(&drive), &drive) {
                assert!(began.elapsed() < IN_THE_WAY, "{}: {error}", drive.display());
                // After some seconds without a drive the server makes itself folders there.
                let _ = fs::remove_dir_all(&drive);
            }
        }
    }
}

fn lost(drive: &Path) -> PathBuf {
    drive.with_extension("lost")
}
