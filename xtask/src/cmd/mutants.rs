// SPDX-License-Identifier: GPL-2.0
//! `cargo xtask mutants`: which changes of the pure files do cargo's tests miss?

use anyhow::{Result, ensure};

use crate::{
    mutants::{self, Record, Runner},
    sh,
};

/// Have cargo-mutants change the module's pure files in every way that it knows, and say which changes no test notices.
///
/// It goes on where it was ended. What was noticed is tried again when the file's code has changed, what was not also
/// when the tests have.
#[derive(clap::Args)]
pub struct Args {
    /// Files with one of these in their names; all, unless given.
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    file: Vec<String>,
    /// Also what has not changed since.
    #[arg(long)]
    again: bool,
    /// Run nothing; write the tables in docs/mutants.md.
    #[arg(long, conflicts_with_all = ["file", "again"])]
    write: bool,
}

/// Runs the command.
///
/// # Errors
/// cargo-mutants can't be had, the tests fail anyway, or something survives that docs/mutants.md does not judge.
pub fn run(args: &Args) -> Result<()> {
    if args.write {
        return mutants::write();
    }
    let chosen = mutants::select(&args.file)?;
    let judged = mutants::judged()?;
    let runner = Runner::new()?;
    let mut open = 0;
    for (at, name) in chosen.iter().enumerate() {
        let kept = runner.kept(name)?.filter(|_| !args.again);
        let record = match kept {
            Some(record) => record,
            None => {
                let said = format!("{} of {}: {name}", at + 1, chosen.len());
                let bar = sh::progress(&said);
                runner
                    .run(name, args.again, &mut |what| bar.set_message(format!("{said}: {what}")))?
            }
        };
        println!("{name}: {}", summary(&record));
        for survivor in &record.survivors {
            let judged = judged.contains(&mutants::named(name, survivor));
            open += usize::from(!judged);
            let word = if judged { "judged" } else { "NOT JUDGED" };
            println!("    {word}: {}: {}", survivor.name, survivor.line);
        }
    }
    ensure!(open == 0, "{open} survivors are not judged in docs/mutants.md");
    Ok(())
}

fn summary(record: &Record) -> String {
    let Record { caught, unviable, timed_out, survived, .. } = record;
    format!(
        "{} mutants, {} caught, {} unviable, {} timed out, {} survived",
        record.mutants(),
        caught.len(),
        unviable.len(),
        timed_out.len(),
        survived.len()
    )
}
