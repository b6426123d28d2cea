// SPDX-License-Identifier: GPL-2.0
//! How often each signature stands in each real driver, as docs/signatures.md has it.

use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use vgpu_unlock::{
    driver::{
        branch::{self, Site},
        version::Version,
    },
    signature::{self, Hits},
};
use vgpu_unlock_cli::inspect;

use super::{PACKAGES, blob};
use crate::generated::Page;

const PAGE: Page = Page { path: "docs/signatures.md", part: "generated" };

/// A driver, and what stands in it.
struct Driver {
    version: Version,
    text: Vec<u8>,
}

/// A signature, and the branches that go by it.
struct Signature {
    site: &'static Site,
    branches: Vec<u16>,
}

/// The one place where a signature stands in a branch that does not go by it: 550 still has the function
/// that is 535's second gate.
const ELSEWHERE: (&str, u16, u16) = ("second gate", 535, 550);

impl Signature {
    /// All there are, each once.
    fn all() -> Vec<Self> {
        let mut all: Vec<Self> = vec![];
        for number in 450..1000 {
            let version = Version::parse(format!("{number}.0").as_bytes());
            let branch = version.and_then(|version| branch::of(&version));
            for site in branch.iter().flat_map(|branch| branch.sites) {
                match all.iter_mut().find(|known| known.site.pattern == site.pattern) {
                    Some(known) => known.branches.push(number),
                    None => all.push(Self { site, branches: vec![number] }),
                }
            }
        }
        all
    }

    fn hits(&self, text: &[u8]) -> Hits {
        let [hits] = signature::search([&self.site.pattern], text);
        hits
    }

    fn name(&self) -> String {
        let branches: Vec<_> = self.branches.iter().map(ToString::to_string).collect();
        format!("{} of {}", self.site.name, branches.join(", "))
    }

    /// Whether it is known to stand in a branch that does not go by it.
    fn stands_elsewhere(&self, branch: u16) -> bool {
        let (name, of, elsewhere) = ELSEWHERE;
        self.site.name == name && self.branches.contains(&of) && branch == elsewhere
    }

    /// What a driver's cell has.
    ///
    /// # Errors
    /// It is not what it must be.
    fn cell(&self, driver: &Driver) -> Result<&'static str> {
        let belongs = self.branches.contains(&driver.version.branch);
        match self.hits(&driver.text) {
            Hits::One(_) if belongs => Ok("**1**"),
            Hits::One(_) if self.stands_elsewhere(driver.version.branch) => Ok("1"),
            Hits::None if !belongs => Ok("0"),
            hits => bail!("the {} in {}: {hits:x?}", self.name(), driver.version),
        }
    }
}

fn drivers() -> Result<Vec<Driver>> {
    let read = |package| {
        let file = blob(package)?;
        let driver = inspect::parse_driver(&inspect::object_file(&file)?)?;
        let version = driver.version.map_err(anyhow::Error::msg)?;
        let text = driver.text.with_context(|| format!("{version} has no .text"))?;
        Ok(Driver { version, text })
    };
    PACKAGES.iter().map(read).collect()
}

/// The table, from the drivers as they are.
fn table(drivers: &[Driver]) -> Result<String> {
    let mut text = String::from("| signature |");
    drivers.iter().for_each(|driver| text += &format!(" {} |", driver.version));
    let _ = writeln!(text, "\n| --- |{}", " --- |".repeat(drivers.len()));
    for signature in Signature::all() {
        let _ = write!(text, "| {} |", signature.name());
        for driver in drivers {
            let _ = write!(text, " {} |", signature.cell(driver)?);
        }
        text.push('\n');
    }
    Ok(text)
}

/// Writes the table into the document, with the day of the run.
///
/// # Errors
/// A driver cannot be had, or a count is not what it must be.
pub fn write(day: &str) -> Result<()> {
    let table = table(&drivers()?)?;
    PAGE.rewrite(|_| Ok(format!("From a run of {day} with Debian's drivers.\n\n{table}")))
}

/// Whether the document has what a run says.
///
/// # Errors
/// It has not, or a count is not what it must be.
pub fn check() -> Result<()> {
    let table = table(&drivers()?)?;
    let page = PAGE.read()?;
    let [_, written, _] = PAGE.split(&page)?;
    ensure!(
        written.ends_with(&table),
        "{} is of other drivers or signatures: `cargo xtask signatures` writes it; now it is\n{table}",
        PAGE.path
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_listed_once_with_its_branches() {
        let names: Vec<_> = Signature::all().iter().map(Signature::name).collect();
        assert_eq!(
            names,
            [
                "board check of 525, 535",
                "second gate of 525, 535",
                "board check of 550, 555, 570, 580",
                "second gate of 550",
                "second gate of 555",
                "second gate of 570, 580",
            ]
        );
    }

    #[test]
    fn a_signature_that_stands_where_it_must_not_is_an_error() {
        let gate = [
            0x85, 0xc0, 0x74, 0x07, 0xc7, 0x45, 0x0c, 0, 0, 0, 0, 0x44, 0x0f, 0xb6, 0xb3, 1, 2, 0,
            0, 0x45, 0x84, 0xf6, 0x0f, 0x84,
        ];
        let driver = |version: &str, text: Vec<u8>| Driver {
            version: Version::parse(version.as_bytes()).unwrap(),
            text,
        };
        let signatures = Signature::all();
        let gate_550 = signatures.iter().find(|found| found.branches == [550]).unwrap();
        let cell = |driver: &Driver| gate_550.cell(driver).ok();
        assert_eq!(cell(&driver("550.1", gate.to_vec())), Some("**1**"));
        assert_eq!(cell(&driver("550.1", gate.repeat(2))), None);
        assert_eq!(cell(&driver("550.1", vec![0; 99])), None);
        assert_eq!(cell(&driver("535.1", gate.to_vec())), None);
        assert_eq!(cell(&driver("535.1", vec![0; 99])), Some("0"));
    }

    #[test]
    fn the_document_has_a_place_for_the_table() {
        let page = PAGE.read().unwrap();
        let [before, written, behind] = PAGE.split(&page).unwrap();
        assert!(!before.is_empty() && behind.is_empty(), "{behind:?}");
        for signature in Signature::all() {
            let row = format!("| {} |", signature.name());
            assert!(written.contains(&row), "no row {row}: cargo xtask signatures writes it");
        }
    }
}
