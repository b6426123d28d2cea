// SPDX-License-Identifier: GPL-2.0
//! What of the matrix is left to other days: it is cut into slices, and every day takes the next one.

use std::{str::FromStr, time::SystemTime};

use anyhow::{Result, ensure};

use super::{
    plan::{Run, always, regular},
    results::Results,
};

/// How long a slice takes, in seconds.
const ROOM: u64 = 12 * 60;

/// What a kernel takes before anything is run on it: it is fetched and unpacked, and the modules are built.
const PREPARING: u64 = 60;

/// Which slice is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The one whose turn it is.
    #[default]
    Today,
    /// One of them, the first of which is 1.
    One(usize),
    /// All of them.
    All,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "all" => Ok(Choice::All),
            _ if text == "today" => Ok(Choice::Today),
            Ok(number) if number > 0 => Ok(Choice::One(number)),
            _ => Err(format!("{text:?} is no slice: a number from 1 on, \"today\" or \"all\"")),
        }
    }
}

/// What a day's continuous integration takes.
#[derive(Debug)]
pub struct Day {
    /// What is run: first what is run every time.
    pub runs: Vec<Run>,
    /// What is not.
    pub left: Vec<Run>,
    /// Which slice it is, as people say it.
    pub slice: String,
}

impl Day {
    /// Chooses from the whole matrix, by the seconds that `known` has.
    ///
    /// # Errors
    /// There is no such slice.
    pub fn new(choice: Choice, known: &Results) -> Result<Self> {
        let (mut chosen, others): (Vec<Run>, Vec<Run>) =
            regular().iter().partition(|run| always(run));
        let costs: Vec<_> = others
            .iter()
            .map(|run| Cost { kernel: run.target.name, seconds: known.seconds(run) })
            .collect();
        let slices = cut(&costs);
        let (taken, slice): (Vec<usize>, String) = match number(choice, slices.len(), days()?)? {
            Some(number) => {
                let taken = slices.get(number - 1).cloned().unwrap_or_default();
                (taken, format!("slice {number} of {}", slices.len()))
            }
            None => ((0..others.len()).collect(), "all slices".to_owned()),
        };
        let (mine, left): (Vec<_>, Vec<_>) =
            others.into_iter().enumerate().partition(|(at, _)| taken.contains(at));
        chosen.extend(mine.into_iter().map(|(_, run)| run));
        Ok(Self { runs: chosen, left: left.into_iter().map(|(_, run)| run).collect(), slice })
    }
}

/// Days since 1970.
fn days() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() / (24 * 60 * 60))
}

impl Choice {
    /// Whether it is the turn of the second of two things that take long, and not of the first; `None` where
    /// both are wanted.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub fn second_of_two(self) -> Result<Option<bool>> {
        Ok(second_of_two(self, days()?))
    }
}

fn second_of_two(choice: Choice, day: u64) -> Option<bool> {
    match choice {
        Choice::All => None,
        Choice::Today => Some(day % 2 == 1),
        Choice::One(number) => Some(number % 2 == 0),
    }
}

/// Which of `count` slices is taken on a day; none in particular, if all are.
fn number(choice: Choice, count: usize, day: u64) -> Result<Option<usize>> {
    match choice {
        Choice::All => Ok(None),
        Choice::Today => {
            let turn = day.checked_rem(count as u64).unwrap_or(0);
            Ok(Some(turn as usize + 1))
        }
        Choice::One(number) => {
            let exists = (1..=count).contains(&number);
            ensure!(exists, "there are {count} slices, and none is number {number}");
            Ok(Some(number))
        }
    }
}

/// One run, as far as it matters here.
#[derive(Clone, Debug)]
struct Cost<'a> {
    kernel: &'a str,
    seconds: u64,
}

/// Runs that stay together.
#[derive(Clone, Debug)]
struct Part {
    runs: Vec<usize>,
    seconds: u64,
}

/// Cuts runs, which come kernel by kernel, into slices: the numbers of the runs in each. A kernel is cut
/// only where it is longer than a slice, and into no more parts than that takes. The longest part goes
/// first into the emptiest slice, so no two slices differ by more than a part.
fn cut(runs: &[Cost<'_>]) -> Vec<Vec<usize>> {
    let mut parts: Vec<Part> =
        kernels(runs).into_iter().flat_map(|whole| split(whole, runs)).collect();
    // Stable: what is equal stays in the matrix's order, today and tomorrow.
    parts.sort_by_key(|part| std::cmp::Reverse(part.seconds));
    let total: u64 = parts.iter().map(|part| part.seconds).sum();
    let longest = parts.first().map_or(0, |part| part.seconds);
    // About as long as it should be: some parts just do not fit each other.
    let limit = longest.max(ROOM + ROOM / 4);
    let mut count = total.div_ceil(ROOM).max(1) as usize;
    loop {
        let slices = packed(&parts, count);
        if count >= parts.len() || slices.iter().all(|slice| slice.seconds <= limit) {
            return slices.into_iter().map(|slice| slice.runs).collect();
        }
        count += 1;
    }
}

/// The runs of each kernel.
fn kernels(runs: &[Cost<'_>]) -> Vec<Part> {
    let mut kernels: Vec<(&str, Part)> = vec![];
    for (at, run) in runs.iter().enumerate() {
        match kernels.last_mut() {
            Some((kernel, part)) if *kernel == run.kernel => {
                part.runs.push(at);
                part.seconds += run.seconds;
            }
            _ => kernels.push((run.kernel, Part { runs: vec![at], seconds: run.seconds })),
        }
    }
    kernels.into_iter().map(|(_, part)| part).collect()
}

/// Cuts a kernel's runs into parts of about the same length, each with the time that preparing takes.
fn split(whole: Part, runs: &[Cost<'_>]) -> Vec<Part> {
    let count = whole.seconds.div_ceil(ROOM - PREPARING).max(1);
    let mut parts = vec![Part { runs: vec![], seconds: PREPARING }; count as usize];
    let mut before = 0;
    for at in whole.runs {
        let seconds = runs[at].seconds;
        // Where its middle lies.
        let part = ((2 * before + seconds) * count).checked_div(2 * whole.seconds).unwrap_or(0);
        let part = &mut parts[(part as usize).min(count as usize - 1)];
        part.runs.push(at);
        part.seconds += seconds;
        before += seconds;
    }
    parts.retain(|part| !part.runs.is_empty());
    parts
}

fn packed(parts: &[Part], count: usize) -> Vec<Part> {
    let mut slices = vec![Part { runs: vec![], seconds: 0 }; count.max(1)];
    for part in parts {
        if let Some(slice) = slices.iter_mut().min_by_key(|slice| slice.seconds) {
            slice.runs.extend(&part.runs);
            slice.seconds += part.seconds;
        }
    }
    for slice in &mut slices {
        slice.runs.sort_unstable();
    }
    slices.retain(|slice| !slice.runs.is_empty());
    slices
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Matrices of all kinds: kernels with their runs' seconds.
    fn matrices() -> Vec<Vec<(&'static str, Vec<u64>)>> {
        let like_ours = vec![
            ("5.10", vec![70, 80, 60]),
            ("6.1", vec![150, 160, 150, 120, 80, 90, 70, 200, 180]),
            ("rt", vec![300, 280, 250]),
            ("7.2", vec![80, 90, 70, 200, 180]),
            ("7.2-linked", vec![80; 16]),
            ("7.3", vec![60, 60, 60]),
            ("7.3-linked", vec![75]),
            ("sid", vec![90, 90, 90]),
        ];
        let mut usual = like_ours.clone();
        usual.iter_mut().for_each(|(_, runs)| runs.iter_mut().for_each(|seconds| *seconds = 60));
        vec![
            vec![],
            vec![("one", vec![5])],
            vec![("one", vec![5]), ("two", vec![6])],
            vec![("long", vec![2000, 2000]), ("short", vec![1, 1, 1])],
            vec![("many", vec![30; 200])],
            vec![("a", vec![600]), ("b", vec![600]), ("c", vec![600]), ("d", vec![100])],
            vec![("nothing", vec![0, 0, 0])],
            like_ours,
            usual,
        ]
    }

    fn costs<'a>(matrix: &'a [(&'static str, Vec<u64>)]) -> Vec<Cost<'a>> {
        let of = |(kernel, runs): &'a (&'static str, Vec<u64>)| {
            runs.iter().map(move |seconds| Cost { kernel, seconds: *seconds })
        };
        matrix.iter().flat_map(of).collect()
    }

    #[test]
    fn every_run_is_in_exactly_one_slice() {
        for matrix in matrices() {
            let costs = costs(&matrix);
            let slices = cut(&costs);
            let mut all: Vec<usize> = slices.concat();
            all.sort_unstable();
            assert_eq!(all, (0..costs.len()).collect::<Vec<_>>(), "{matrix:?}");
            assert!(slices.iter().all(|slice| !slice.is_empty()), "{matrix:?}");
        }
    }

    #[test]
    fn slices_are_nearly_equal_and_about_as_long_as_they_should_be() {
        for matrix in matrices() {
            let costs = costs(&matrix);
            let parts: Vec<Part> =
                kernels(&costs).into_iter().flat_map(|whole| split(whole, &costs)).collect();
            let longest = parts.iter().map(|part| part.seconds).max().unwrap_or(0);
            let seconds_of = |slice: &Vec<usize>| {
                let kernels: BTreeSet<_> = slice.iter().map(|at| costs[*at].kernel).collect();
                let runs: u64 = slice.iter().map(|at| costs[*at].seconds).sum();
                runs + kernels.len() as u64 * PREPARING
            };
            let seconds: Vec<u64> = cut(&costs).iter().map(seconds_of).collect();
            let (Some(most), Some(least)) = (seconds.iter().max(), seconds.iter().min()) else {
                continue;
            };
            assert!(most - least <= longest, "{matrix:?}: {seconds:?}");
            let run = costs.iter().map(|cost| cost.seconds).max().unwrap_or(0);
            assert!(*most <= (ROOM + ROOM / 4).max(ROOM + run), "{matrix:?}: {seconds:?}");
        }
    }

    #[test]
    fn no_kernel_is_spread_over_more_slices_than_need_be() {
        for matrix in matrices() {
            let costs = costs(&matrix);
            let slices = cut(&costs);
            for (kernel, runs) in &matrix {
                let seconds: u64 = runs.iter().sum();
                let need = seconds.div_ceil(ROOM - PREPARING).max(1);
                let has = slices.iter().filter(|s| s.iter().any(|at| costs[*at].kernel == *kernel));
                assert!(has.count() as u64 <= need, "{kernel} in {matrix:?}: {slices:?}");
            }
        }
    }

    #[test]
    fn two_things_take_turns() {
        let on = |choice| [0, 1, 2].map(|day| second_of_two(choice, day));
        assert_eq!(on(Choice::Today), [Some(false), Some(true), Some(false)]);
        assert_eq!(on(Choice::One(1)), [Some(false); 3]);
        assert_eq!(on(Choice::One(2)), [Some(true); 3]);
        assert_eq!(on(Choice::All), [None; 3]);
    }

    #[test]
    fn every_slice_has_its_turn() {
        let turns: Vec<_> =
            (20000..20004).map(|day| number(Choice::Today, 3, day).unwrap()).collect();
        assert_eq!(turns, [Some(3), Some(1), Some(2), Some(3)]);
        assert_eq!(number(Choice::Today, 0, 7).unwrap(), Some(1));
        assert_eq!(number(Choice::One(3), 3, 7).unwrap(), Some(3));
        assert_eq!(number(Choice::All, 3, 7).unwrap(), None);
        let error = number(Choice::One(4), 3, 7).unwrap_err().to_string();
        assert_eq!(error, "there are 3 slices, and none is number 4");
    }

    #[test]
    fn a_choice_is_read() {
        assert_eq!("all".parse(), Ok(Choice::All));
        assert_eq!("2".parse(), Ok(Choice::One(2)));
        for wrong in ["0", "-1", "", "some"] {
            assert!(wrong.parse::<Choice>().unwrap_err().contains("from 1 on"), "{wrong}");
        }
    }

    #[test]
    fn a_week_sees_the_whole_matrix() {
        let known = Results::default();
        let mut seen = BTreeSet::new();
        let all: BTreeSet<_> = regular().iter().map(key).collect();
        let mut number = 0;
        while seen.len() < all.len() {
            number += 1;
            let day = Day::new(Choice::One(number), &known).unwrap();
            assert!(day.runs.iter().filter(|run| always(run)).count() > 20);
            assert_eq!(day.runs.len() + day.left.len(), all.len());
            assert!(day.left.iter().all(|run| !always(run)));
            seen.extend(day.runs.iter().map(key));
        }
        assert_eq!(seen, all);
        assert!(number <= 7, "{number} slices");
        assert!(Day::new(Choice::All, &known).unwrap().left.is_empty());
    }

    fn key(run: &Run) -> (&'static str, &'static str) {
        (run.target.name, run.scenario.name)
    }
}
