// SPDX-License-Identifier: GPL-2.0
//! Runs every target on what fuzzing has kept, without libFuzzer: a directory has one for each target, by its name.
//! Prints how many inputs that were.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let corpora = PathBuf::from(env::args_os().nth(1).ok_or("no directory is given")?);
    let mut inputs = 0;
    for entry in fs::read_dir(corpora)? {
        let corpus = entry?.path();
        let name = corpus.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A target that is not there any more has left its own.
        let Some(target) = fuzz::find(&name) else { continue };
        for input in fs::read_dir(&corpus)? {
            (target.run)(&fs::read(input?.path())?);
            inputs += 1;
        }
    }
    println!("{inputs}");
    Ok(())
}
