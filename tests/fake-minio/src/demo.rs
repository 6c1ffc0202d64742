//! The backlog that is shown to people: a hundred and fifty versions with the
//! names that buckets have.

use super::answer::S3Error;
use super::store::Backlog;
use super::version::{Status, Version};

/// Versions in all.
const TOTAL: usize = 150;

/// Objects encrypted with a key that has been deleted since, which no trying
/// again brings back.
const UNREADABLE: [&str; 2] =
    ["hr/payroll/2026-09/payslips-0017.pdf", "hr/payroll/2026-10/payslips-0017.pdf"];

/// Objects deleted while the target was away.
const DELETED: [&str; 3] = [
    "invoices/2026/03/INV-20260311-0042.pdf",
    "invoices/2026/07/INV-20260702-0118.pdf",
    "uploads/tmp/customer-import.csv",
];

/// Some odd names, as people give them.
const ODD: [&str; 4] = [
    "contracts/Müller & Söhne/Rahmenvertrag (signed).pdf",
    "photos/2026-08 Sommerfest/IMG 0042 + 0043.jpg",
    "reports/q3 #final (2).xlsx",
    "uploads/100% done.txt",
];

impl Backlog {
    /// A hundred and fifty versions, of which three are delete markers and two
    /// cannot be triggered.
    pub fn demo() -> Self {
        let lost_key = || S3Error::new(400, "KMS.NotFoundException");
        let mut versions: Vec<Version> = UNREADABLE
            .iter()
            .map(|key| Version::put(*key).refusing(lost_key()))
            .chain(DELETED.iter().map(|key| Version::delete_marker(*key)))
            .chain(ODD.iter().map(|key| Version::put(*key)))
            .collect();
        let others = (0..TOTAL - versions.len()).map(|nth| {
            let (month, day) = (nth % 11 + 1, nth * 7 % 28 + 1);
            let key = match nth % 3 {
                0 | 1 => {
                    format!("invoices/2026/{month:02}/INV-2026{month:02}{day:02}-{nth:04}.pdf")
                }
                _ => format!("reports/2026/{month:02}/{day:02}/sales-{nth:04}.parquet"),
            };
            let status = if nth % 10 == 9 { Status::Pending } else { Status::Failed };
            let modified = format!("2026-{month:02}-{day:02}T08:{:02}:26.{nth:08}7Z", nth % 60);
            Version::put(key).status(status).modified(modified)
        });
        versions.extend(others);
        Self::of(versions)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::version::Kind;
    use super::Backlog;

    #[test]
    fn the_demo_has_what_its_document_says() {
        let versions = Backlog::demo().versions;
        let keys: BTreeSet<_> = versions.iter().map(|version| &version.key).collect();
        assert_eq!(keys.len(), 150, "no key twice");
        assert_eq!(versions.iter().filter(|version| version.refusal.is_some()).count(), 2);
        assert_eq!(versions.iter().filter(|v| v.kind == Kind::DeleteMarker).count(), 3);
    }
}
