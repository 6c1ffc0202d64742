//! `--shard`: runs that share one backlog, and the documents that say how.

use super::User;
use crate::world::{Refusal, Replication, World, objects, serving};
use resync_core::command::Args;
use resync_core::job::Shard;
use std::path::Path;

const VERSIONS: usize = 400;

fn world() -> World {
    let mut world = serving(objects(VERSIONS));
    world.net.server.replication = Replication::Never;
    world
}

#[test]
fn runs_that_share_a_backlog_trigger_each_version_once() {
    for count in [1, 2, 4, 7] {
        let mut world = world();
        for index in 0..count {
            let mut user = User::of(world);
            let summary = user.run(&format!("a/bucket --json --shard {index}/{count}")).summary();
            let total = summary["total"].as_u64().expect("a total");
            assert_eq!(summary["filtered"], VERSIONS as u64 - total);
            let even = VERSIONS as f64 / f64::from(count);
            assert!((total as f64 - even).abs() < even / 2.0, "{index}/{count} has {total}");
            world = user.world;
        }
        let queued = &world.net.server.queued;
        assert_eq!(queued.len(), VERSIONS, "{count} shards");
        assert!(queued.values().all(|times| times.len() == 1), "{count} shards");
    }
}

#[test]
fn a_shard_is_tried_again_alone() {
    let mut world = world();
    world
        .net
        .server
        .versions
        .iter_mut()
        .for_each(|version| *version = version.clone().refused(Refusal::INVALID));
    let mut user = User::of(world);
    let first = user.run("a/bucket --shard 2/4");
    let again = "  $ mc-wasi replicate resync-backlog a/bucket --shard 2/4\n";
    assert!(first.out.ends_with(again) && !first.success, "{}", first.out);
}

fn doc(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_page_about_shards_has_hashes_that_others_can_compare_theirs_with() {
    let page = doc("at-scale.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|row| {
        let (key, rest) = row.split_once("` | `")?;
        let (hash, shard) = rest.split_once("` | ")?;
        Some((key, hash, shard.trim_end_matches(" |")))
    });
    let mut shown = 0;
    for (key, hash, of_four) in rows {
        assert_eq!(format!("{:016x}", Shard::hash(key)), hash, "{key}");
        assert_eq!((Shard::hash(key) % 4).to_string(), of_four, "{key}");
        shown += 1;
    }
    assert!(shown >= 4, "{shown} rows");
}

#[test]
fn the_pods_of_the_job_share_the_backlog_and_its_rate() {
    let job = doc("cluster-job.yaml");
    let value = |name: &str| {
        let line = job.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} is missing")).trim()
    };
    let pods: u32 = value("completions:").parse().expect("a number");
    assert_eq!(value("parallelism:"), pods.to_string());
    assert_eq!(value("completionMode:"), "Indexed");
    let args = value("args: [").trim_end_matches(']').split(", ");
    let args: Vec<&str> = args.map(|word| word.trim_matches('"')).collect();
    let mut rate = 0.0;
    for index in 0..pods {
        let words: Vec<String> = args
            .iter()
            .map(|word| word.replace("$(JOB_COMPLETION_INDEX)", &index.to_string()))
            .collect();
        let args = Args::parse(&words, &|_| None).expect("valid arguments");
        assert_eq!(args.filter.shard, Shard::new(index, pods), "{words:?}");
        assert_eq!((args.target.text.as_str(), args.json), ("myaistor/mybucket", true));
        rate += args.rate_limit.expect("a limit");
    }
    assert_eq!(rate, 200.0, "together they are as fast as the one of cronjob.yaml");
}
