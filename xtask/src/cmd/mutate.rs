// SPDX-License-Identifier: GPL-2.0
//! `mutate`: is it noticed when the module is broken?

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;

use crate::{
    mutate::{self, Mutation, Record, Sources, Tree},
    sh,
};

/// Break the module on purpose, one way after the other, and run what has to notice.
///
/// It goes on where it was ended: what was caught is run again when something has changed.
#[derive(ClapArgs)]
pub struct Args {
    /// Mutations; all, unless given.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Also what was caught and has not changed since.
    #[arg(long)]
    again: bool,
    /// Run nothing; show what there is, and what came of it the last time.
    #[arg(long)]
    list: bool,
    /// Run nothing; write the table in docs/mutations.md.
    #[arg(long, conflicts_with_all = ["list", "again", "only"])]
    write: bool,
}

/// How many there are of each end.
#[derive(Default)]
struct Tally {
    caught: usize,
    survived: usize,
    /// Nobody has looked: something does not build, fails anyway, or does not start.
    unknown: usize,
}

/// Runs the command.
///
/// # Errors
/// A mutation survives, or nobody could look whether it does.
pub fn run(args: &Args) -> Result<()> {
    if args.write {
        return mutate::write();
    }
    let chosen = mutate::select(&args.only)?;
    let sources = Sources::read()?;
    if args.list {
        return chosen.iter().try_for_each(|mutation| list(mutation, &sources));
    }
    let mut tree = Tree::new()?;
    let mut tally = Tally::default();
    for (at, mutation) in chosen.iter().enumerate() {
        let kept = mutate::kept(mutation, &sources)?.filter(|record| record.caught.is_some());
        if let Some(record) = kept.filter(|_| !args.again) {
            println!("kept    {}: {}, {}", mutation.name, found(mutation, &record), record.date);
            tally.caught += 1;
            continue;
        }
        let said = format!("{} of {}: {}", at + 1, chosen.len(), mutation.name);
        one(mutation, &said, &mut tree, &sources, &mut tally);
    }
    let Tally { caught, survived, unknown } = tally;
    println!("{caught} caught, {survived} survived");
    ensure!(unknown == 0, "{unknown} of {} could not be tried", chosen.len());
    ensure!(survived == 0, "{survived} of {} survived", chosen.len());
    Ok(())
}

fn list(mutation: &Mutation, sources: &Sources) -> Result<()> {
    let Mutation { name, what, file, .. } = mutation;
    let state = match (Record::load(mutation), mutate::kept(mutation, sources)?) {
        (None, _) => format!("not run; {} is to notice", mutation.catcher),
        (Some(record), kept) => {
            let again = if kept.is_none() { "; something has changed since" } else { "" };
            format!("{}: {}{again}", record.date, found(mutation, &record))
        }
    };
    println!("{name}\n    {what}\n    {file}\n    {state}");
    Ok(())
}

fn found(mutation: &Mutation, record: &Record) -> String {
    match &record.caught {
        Some(why) => format!("caught by {}: {why}", mutation.catcher),
        None => format!("survived {}", mutation.catcher),
    }
}

fn one(mutation: &Mutation, said: &str, tree: &mut Tree, sources: &Sources, tally: &mut Tally) {
    let bar = sh::progress(&format!("{said}: {}", mutation.catcher));
    let watch = &mut |part: &str| bar.set_message(format!("{said}: {}: {part}", mutation.catcher));
    let result = mutate::run(mutation, tree, sources, watch);
    drop(bar);
    let name = mutation.name;
    match result {
        Ok(record) => {
            let (word, count) = match record.caught {
                Some(_) => ("ok     ", &mut tally.caught),
                None => ("not ok ", &mut tally.survived),
            };
            *count += 1;
            println!("{word} {name}: {}", found(mutation, &record));
        }
        Err(error) => {
            tally.unknown += 1;
            println!("error   {name}: {error:#}");
        }
    }
}
