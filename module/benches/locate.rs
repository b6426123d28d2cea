// SPDX-License-Identifier: GPL-2.0
//! What finding everything costs on a real driver, against the memory's speed and against the
//! obvious way.
//!
//! `memchr` over the same bytes is the yardstick: nothing that reads them all is much faster. The
//! bytewise search does what vgpu_unlock's first generation did, in code of our own.
//!
//! `cargo xtask bench` takes a driver apart for it and runs it.

use std::{
    env, fs,
    hint::black_box,
    path::{Path, PathBuf},
    time::Duration,
};

use criterion::Criterion;
use hex_literal::hex;
use vgpu_unlock::{
    capability::{
        image::Image,
        tables::{self, Tables},
        unlock::{self, Entries},
        Key, Magic,
    },
    driver::{
        branch::{self, Branch},
        stranger,
        version::Version,
    },
    host::HostCrypto,
    signature::Pattern,
};

/// Magic and key of a Quadro P400, published by a user in 2021.
const MAGIC: Magic = hex!("479cb6e1451af84c1af948cc3b9ae8b9");
const KEY: Key = hex!("ad6321fc4c3e17f8bc68ad6505c77938");

const GPU_LIST_FIRST: Magic = hex!("f3f59e3d139175186a7b55edce5d8467");
const SACRIFICIAL: Magic = hex!("9d72d906a620f439e1117d17b4531d73");

/// A driver's parts, as `cargo xtask bench` wrote them.
struct Driver {
    branch: &'static Branch,
    text: Vec<u8>,
    rodata: Vec<u8>,
    base: u64,
}

impl Driver {
    fn read(dir: &Path) -> Result<Self, std::io::Error> {
        let number = fs::read_to_string(dir.join("base"))?;
        let version = fs::read_to_string(dir.join("version"))?;
        let version = Version::parse(version.as_bytes()).expect("a version");
        Ok(Self {
            branch: branch::of(&version).expect("a known branch"),
            text: fs::read(dir.join("text"))?,
            rodata: fs::read(dir.join("rodata"))?,
            base: number.parse().expect("a number"),
        })
    }

    fn image(&self) -> Image<'_> {
        Image::new(self.base, &self.rodata)
    }
}

fn parts() -> PathBuf {
    env::var_os("VGPU_UNLOCK_BENCH").map_or_else(
        || {
            let home = env::var_os("HOME").unwrap_or_else(|| "/root".into());
            let cache = env::var_os("VGPU_UNLOCK_CACHE")
                .map_or_else(|| Path::new(&home).join(".cache/vgpu-unlock"), PathBuf::from);
            cache.join("bench")
        },
        PathBuf::from,
    )
}

/// The obvious search: try every offset.
fn bytewise(text: &[u8], bytes: &[u8]) -> Option<usize> {
    text.windows(bytes.len()).position(|window| window == bytes)
}

/// The magic's bytes, then the pointer to them.
fn bytewise_triple(image: &Image<'_>, magic: &Magic) -> Option<usize> {
    let at = bytewise(image.bytes(), magic)?;
    bytewise(image.bytes(), &image.address_of(at).to_le_bytes())
}

fn bytewise_pattern(text: &[u8], pattern: &Pattern) -> Vec<usize> {
    (0..text.len()).filter(|&at| pattern.matches_at(text, at)).collect()
}

fn benches(c: &mut Criterion, driver: &Driver) {
    let image = driver.image();
    let tables = tables::locate(&image).expect("this driver has capability tables");

    // All that there is to read, without one byte value, so that a search for it reads it all.
    let mut bytes = [driver.rodata.as_slice(), &driver.text].concat();
    bytes.iter_mut().filter(|byte| **byte == 0xa5).for_each(|byte| *byte = 0xa4);

    let mut group = c.benchmark_group("driver");
    group.bench_function("memchr", |b| {
        b.iter(|| assert!(memchr::memchr(0xa5, black_box(&bytes)).is_none()));
    });
    // As the module does it: up to 510 there are only tables, from 525 on only sites.
    group.bench_function("attach: all", |b| {
        b.iter(|| {
            black_box(driver.branch.search(black_box(&driver.text)));
            if driver.branch.needs_tables {
                assert!(!stranger::has_hooks(black_box(&driver.rodata)));
                black_box(tables::locate(black_box(&image))).unwrap();
            }
        });
    });
    group.bench_function("attach: tables", |b| {
        b.iter(|| tables::locate(black_box(&image)).unwrap());
    });
    group.bench_function("attach: sites", |b| {
        b.iter(|| driver.branch.search(black_box(&driver.text)));
    });
    group.bench_function("key time", |b| {
        let mut crypto = HostCrypto::default();
        let mut entries = Entries::EMPTY;
        b.iter(|| key_time(&image, &tables, &mut crypto, &mut entries));
    });
    group.bench_function("a copy that is no magic", |b| {
        b.iter(|| assert!(!tables.lists(black_box(&image), &KEY)));
    });

    group.sample_size(10);
    group.bench_function("bytewise: sites", |b| {
        b.iter(|| {
            for site in driver.branch.sites {
                assert_eq!(bytewise_pattern(black_box(&driver.text), &site.pattern).len(), 1);
            }
        });
    });
    group.bench_function("bytewise: a candidate magic", |b| {
        b.iter(|| bytewise_triple(black_box(&image), &GPU_LIST_FIRST).unwrap());
    });
    group.bench_function("bytewise: apply", |b| {
        b.iter(|| {
            bytewise_triple(black_box(&image), &MAGIC).unwrap();
            bytewise_triple(black_box(&image), &SACRIFICIAL).unwrap();
        });
    });
    group.finish();
}

/// What is left to do when the driver has read a board's magic and key.
fn key_time(image: &Image<'_>, tables: &Tables, crypto: &mut HostCrypto, entries: &mut Entries) {
    assert!(tables.lists(black_box(image), &MAGIC));
    unlock::prepare(image, tables, (&MAGIC, &KEY), None, 0, crypto, entries).unwrap();
    assert_eq!(black_box(entries).as_slice().len(), 25);
}

/// Nanoseconds of an iteration: of the median sample, and of the fastest, which says more on a
/// machine that has something else to do.
fn measured(results: &Path, name: &str) -> Option<(f64, f64)> {
    let file = results.join("driver").join(name.replace(':', "_")).join("new/sample.json");
    let sample: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let numbers = |key: &str| -> Option<Vec<f64>> {
        sample[key].as_array()?.iter().map(|n| n.as_f64()).collect()
    };
    let (iters, times) = (numbers("iters")?, numbers("times")?);
    let mut each: Vec<f64> = times.iter().zip(&iters).map(|(time, iters)| time / iters).collect();
    each.sort_by(f64::total_cmp);
    Some((*each.get(each.len() / 2)?, *each.first()?))
}

/// Every measurement beside the pass with `memchr`.
fn summary(results: &Path) {
    let Some((memchr_median, memchr_best)) = measured(results, "memchr") else { return };
    println!(
        "{:<30}{:>11}{:>10}{:>11}{:>10}",
        "", "median ms", "/ memchr", "fastest ms", "/ memchr"
    );
    for name in [
        "memchr",
        "attach: all",
        "attach: tables",
        "attach: sites",
        "key time",
        "a copy that is no magic",
        "bytewise: sites",
        "bytewise: a candidate magic",
        "bytewise: apply",
    ] {
        if let Some((median, best)) = measured(results, name) {
            let (of_median, of_best) = (median / memchr_median, best / memchr_best);
            let (median, best) = (median / 1e6, best / 1e6);
            println!("{name:<30}{median:>11.3}{of_median:>10.3}{best:>11.3}{of_best:>10.3}");
        }
    }
}

fn main() {
    let dir = parts();
    let driver = Driver::read(&dir).unwrap_or_else(|error| {
        eprintln!("{}: {error}", dir.display());
        eprintln!(
            "There is no driver to measure on. `cargo xtask bench` fetches one and runs this."
        );
        std::process::exit(1);
    });
    let results = dir.join("results");
    let mut criterion = Criterion::default()
        .output_directory(&results)
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    benches(&mut criterion, &driver);
    criterion.final_summary();
    summary(&results);
}
