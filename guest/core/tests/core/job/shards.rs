//! Shards: several runs share a backlog, and no version is in two of them or in none.

use super::run;
use crate::world::{Name, Version, serving, uuid};
use proptest::prelude::*;
use resync_core::job::{Filter, MAX_SHARDS, Mode, Shard, Spec};
use std::collections::BTreeMap;

/// The hashes of some keys, as another program finds them that follows docs/at-scale.md. They never change:
/// two runs with different ones leave versions to each other.
const HASHES: [(&str, u64); 8] = [
    ("", 0xefd0_1f60_ba99_2926),
    ("a", 0x82a2_a958_a9be_ce5b),
    ("b", 0x6e67_3288_764a_d2d0),
    ("photos/2026/cat.jpg", 0xebbd_d133_2141_c866),
    ("data/000000", 0xe6b6_fece_de3e_d7df),
    ("data/000001", 0xcc59_783b_58f5_63f3),
    ("é/😀", 0x3f8d_2339_e847_5d0f),
    ("dir/", 0x4646_8cc4_34fc_2907),
];

#[test]
fn the_hash_of_a_key_is_the_same_for_ever() {
    for (key, hash) in HASHES {
        assert_eq!(Shard::hash(key), hash, "{key:?}: {:#018x}", Shard::hash(key));
    }
}

#[test]
fn there_are_shards_from_one_to_a_thousand_and_none_beyond_the_last() {
    for (index, count, exists) in
        [(0, 1, true), (999, 1000, true), (0, 0, false), (4, 4, false), (0, 1001, false)]
    {
        assert_eq!(Shard::new(index, count).is_some(), exists, "{index}/{count}");
    }
}

#[test]
fn keys_that_are_alike_are_spread_evenly() {
    for make in [
        |n: u32| format!("data/{n:06}"),
        |n| format!("{n}"),
        |n| format!("2026/11/{:02}/log-{}.gz", n % 30, n / 30),
        |n| format!("{n:06}/thumb.jpg"),
    ] {
        for count in [2, 3, 4, 16, 100] {
            let mut sizes = vec![0_u32; count];
            for n in 0..100_000 {
                sizes[usize::try_from(Shard::hash(&make(n)) % count as u64).expect("small")] += 1;
            }
            let even = 100_000.0 / count as f64;
            // Six standard deviations of what is drawn at random.
            let most = sizes.iter().map(|size| (f64::from(*size) - even).abs()).fold(0.0, f64::max);
            assert!(most < 6.0 * even.sqrt(), "{}: {sizes:?}", make(1));
        }
    }
}

proptest! {
    #[test]
    fn every_key_is_in_exactly_one_shard_however_many_there_are(
        key in "\\PC{0,40}", count in 1..=MAX_SHARDS
    ) {
        let shards = (0..count).filter_map(|index| Shard::new(index, count));
        prop_assert_eq!(shards.filter(|shard| shard.takes(&key)).count(), 1);
    }

    #[test]
    fn each_version_is_handled_by_one_of_the_runs_and_all_of_a_key_by_the_same(
        versions in prop::collection::btree_map("[a-z/é]{1,6}", 1u128..4, 0..20), count in 1u32..9
    ) {
        let named = versions.iter().flat_map(|(key, ids)| (0..*ids).map(move |id| (key, uuid(id))));
        let names: Vec<Name> = named.map(|(key, id)| (key.clone(), id)).collect();
        let backlog: Vec<Version> = names.iter().map(|(key, id)| Version::new(key, id)).collect();
        let (mut by_key, mut all) = (BTreeMap::new(), Vec::new());
        for index in 0..count {
            let filter = Filter { shard: Shard::new(index, count), ..Filter::default() };
            let spec = Spec { filter, mode: Mode::Trigger, ..Spec::default() };
            let ran = run(spec, &mut serving(backlog.clone()));
            prop_assert_eq!(ran.counts.total + ran.counts.filtered, names.len() as u64);
            for (name, ..) in ran.ends {
                prop_assert_eq!(*by_key.entry(name.0.clone()).or_insert(index), index);
                all.push(name);
            }
        }
        all.sort_unstable();
        prop_assert_eq!(all, names);
    }
}
