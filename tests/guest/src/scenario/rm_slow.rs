// SPDX-License-Identifier: GPL-2.0
//! A daemon whose memory is slow to come, while the module looks at it: nobody else is held up, and the module goes
//! when it can.

use std::{
    thread::{self, JoinHandle, sleep},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{
    rm_control::{TURING, same, set_driver},
    rm_load::prepare_load,
    steps::{DRIVER, MODULE, attached, soon},
};
use crate::{
    kernel,
    report::Report,
    rm::{
        answer::{Answered, Route},
        question::name,
        run::{self, Slow, VGPUD},
    },
};

pub fn run(report: &mut Report) -> Result<()> {
    report.part("slow memory");
    let (raw, _, told) = prepare_load(&TURING)?;
    kernel::load(MODULE)?;
    report.check("attached, all hooks placed", || soon(attached));
    let slow = slow()?;
    report.check("another daemon is answered meanwhile", || same(&run::ask(VGPUD, "550")?, &told));
    let going = go();
    report.check("rmmod waits for a call that is with us", || waits(&going));
    let answers = slow.bring();
    report.check("the memory comes, and the answer is the driver's or all of ours", || {
        one_of(&answers?, &[&raw, &told])
    });
    report.check("then the module goes", || gone(going));
    report.check("and all is as before", || same(&run::ask(VGPUD, "550")?, &raw));

    kernel::load(MODULE)?;
    report.check("attached again", || soon(attached));
    let slow = self::slow()?;
    let going = go();
    report.check("rmmod waits once more", || waits(&going));
    slow.kill()?;
    report.check("the daemon is killed, and the module goes", || gone(going));
    report.check("all is as before", || same(&run::ask(VGPUD, "550")?, &raw));
    kernel::unload(DRIVER)
}

/// A daemon that is in the module, and waits. It loses its memory while the driver sleeps.
fn slow() -> Result<Slow> {
    set_driver("answered_sleep_ms", 2000)?;
    let slow = Slow::start(VGPUD, "550")?;
    set_driver("answered_sleep_ms", 0)?;
    Ok(slow)
}

fn go() -> JoinHandle<Result<()>> {
    thread::spawn(|| kernel::unload(MODULE))
}

fn waits(going: &JoinHandle<Result<()>>) -> Result<()> {
    sleep(Duration::from_millis(1500));
    ensure!(!going.is_finished(), "it has not waited");
    Ok(())
}

fn gone(going: JoinHandle<Result<()>>) -> Result<()> {
    soon(|| {
        ensure!(going.is_finished(), "rmmod still waits");
        Ok(())
    })?;
    going.join().ok().context("rmmod panicked")?
}

/// The only answer of `answers` is one of those that are in `allowed` to the same question.
fn one_of(answers: &[Answered], allowed: &[&[Answered]]) -> Result<()> {
    let [answer] = answers else { anyhow::bail!("{} answers", answers.len()) };
    let same = |other: &&Answered| other.name == name::PCI_INFO && other.route == Route::Direct;
    let known = allowed.iter().flat_map(|answers| answers.iter().filter(same));
    ensure!(known.clone().any(|known| known == answer), "it is {answer}");
    Ok(())
}
