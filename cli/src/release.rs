// SPDX-License-Identifier: GPL-2.0
//! Which host driver each vGPU release has, and which release a driver belongs to.
//!
//! People name their driver by either: `17.5` and `550.144.02` are the same.
//!
//! Source: the column "Linux vGPU Manager" of the table "Driver Versions" in NVIDIA's vGPU
//! documentation (docs.nvidia.com/vgpu/index.html, as of September 2025) up to 19.1. The later ones are
//! in NVIDIA's security bulletins, in the rows of the Virtual GPU Manager for KVM: 5703 (18.5 and 19.2),
//! 5747 (16.12, 16.13, 18.6 and 19.3) and 5821 (16.14, 19.4, 19.5, 20.0 and 20.1). Two misprints there
//! are not followed: 5703 has 575.274.03 for 16.12, and 5747 has 580.129.08 for 19.4. 19.6 is as public
//! packages of the driver have it.

use vgpu_unlock::driver::version::Version;

/// A vGPU release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    major: u16,
    minor: u16,
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A driver as a person names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its version. Of a branch that was named as a whole, the minor number is 0.
    pub version: Version,
    /// The branch was named as a whole, by its number or by its vGPU release's first.
    pub whole_branch: bool,
}

impl Named {
    /// Reads `550.144.02`, `550`, `17.5` or `17`.
    ///
    /// # Errors
    /// It is none of these, or no vGPU release that is known.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected a driver's version or branch such as 550.144.02 or 550, or \
                                a vGPU release such as 17.5";
        let (first, rest) = match text.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        let first = number(first).ok_or(EXPECTED)?;
        let branch = |number: u16| Version::parse(format!("{number}.0").as_bytes());
        let (version, whole_branch) = match (first < FIRST_BRANCH, rest) {
            (false, Some(_)) => (Version::parse(text.as_bytes()).ok_or(EXPECTED)?, false),
            (false, None) => (branch(first).ok_or(EXPECTED)?, true),
            (true, Some(rest)) => {
                let release = Release { major: first, minor: number(rest).ok_or(EXPECTED)? };
                (driver(release).ok_or_else(|| unknown(text))?, false)
            }
            (true, None) => {
                let newest = newest(first).and_then(|(_, driver)| branch(driver.branch));
                (newest.ok_or_else(|| unknown(text))?, true)
            }
        };
        Ok(Self { version, whole_branch })
    }
}

fn number(digits: &str) -> Option<u16> {
    digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.whole_branch {
            write!(f, "driver branch {}", self.version.branch)?;
            return match branch_of_releases(self.version.branch) {
                Some(major) => write!(f, " (vGPU {major})"),
                None => Ok(()),
            };
        }
        write!(f, "driver {}", self.version)?;
        let releases = text(&self.version);
        if releases.is_empty() { Ok(()) } else { write!(f, " (vGPU {releases})") }
    }
}

/// The host driver of a release.
pub fn driver(release: Release) -> Option<Version> {
    all().find(|(known, _)| *known == release).map(|(_, driver)| driver)
}

/// The releases whose host driver this is, oldest first. There are none, one or two.
pub fn of(driver: &Version) -> impl Iterator<Item = Release> {
    all().filter(move |(_, known)| known == driver).map(|(release, _)| release)
}

/// The releases of a driver in a word: `17.5`, `16.6 and 16.7`, or nothing.
pub fn text(driver: &Version) -> String {
    of(driver).map(|release| release.to_string()).collect::<Vec<_>>().join(" and ")
}

/// The vGPU releases' first number in a driver branch.
pub fn branch_of_releases(branch: u16) -> Option<u16> {
    all().find(|(_, driver)| driver.branch == branch).map(|(release, _)| release.major)
}

/// No branch of the driver that hosts vGPUs has a smaller number, and no vGPU release a larger one.
const FIRST_BRANCH: u16 = 100;

fn all() -> impl Iterator<Item = (Release, Version)> {
    RELEASES.iter().flat_map(|(major, drivers)| {
        // A test sees to it that every one is a version, and that there are not too many.
        let of_major = move |(minor, driver): (usize, &&str)| {
            let release = Release { major: *major, minor: u16::try_from(minor).ok()? };
            Some((release, Version::parse(driver.as_bytes())?))
        };
        drivers.iter().enumerate().filter_map(of_major)
    })
}

fn newest(major: u16) -> Option<(Release, Version)> {
    all().filter(|(release, _)| release.major == major).last()
}

fn unknown(text: &str) -> String {
    let major = text.split('.').next().and_then(|first| first.parse().ok());
    let first = all().next();
    let last = match major.and_then(newest) {
        Some((last, _)) => {
            return format!("vGPU {text} is not known; known are {}.0 to {last}", last.major);
        }
        None => all().last(),
    };
    let shown = |known: Option<(Release, Version)>| {
        known.map_or_else(String::new, |(release, _)| release.to_string())
    };
    format!("vGPU {text} is not known; known are {} to {}", shown(first), shown(last))
}

/// By the release's first number, the drivers of its second number 0, 1 and so on.
#[rustfmt::skip]
static RELEASES: &[(u16, &[&str])] = &[
    (11, &[
        "450.55", "450.80", "450.89", "450.102", "450.124", "450.142", "450.156", "450.172", "450.191",
        "450.203", "450.216.04", "450.216.04", "450.236.03", "450.248.03",
    ]),
    (12, &["460.32.04", "460.32.04", "460.73.02", "460.91.03", "460.107"]),
    (13, &[
        "470.63", "470.82", "470.103.02", "470.129.04", "470.141.05", "470.161.02", "470.161.02",
        "470.182.02", "470.199.03", "470.223.02", "470.239.01", "470.256.02", "470.256.02",
    ]),
    (14, &["510.47.03", "510.73.06", "510.85.03", "510.108.03", "510.108.03"]),
    (15, &["525.60.12", "525.85.07", "525.105.14", "525.125.03", "525.147.01"]),
    (16, &[
        "535.54.06", "535.104.06", "535.129.03", "535.154.02", "535.161.05", "535.161.05", "535.183.04",
        "535.183.04", "535.216.01", "535.230.02", "535.247.02", "535.261.04", "535.274.03", "535.288.01",
        "535.309.01",
    ]),
    (17, &[
        "550.54.10", "550.54.16", "550.90.05", "550.90.05", "550.127.06", "550.144.02", "550.163.02",
    ]),
    (18, &[
        "570.124.03", "570.133.10", "570.148.06", "570.158.02", "570.172.07", "570.195.02", "570.211.01",
    ]),
    (19, &[
        "580.65.05", "580.82.02", "580.95.02", "580.105.06", "580.126.08", "580.159.01", "580.178.05",
    ]),
    (20, &["595.58.02", "595.71.03"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_table_is_whole() {
        let written = RELEASES.iter().map(|(_, drivers)| drivers.len()).sum::<usize>();
        assert_eq!(all().count(), written, "each is a version");
        assert!(all().is_sorted_by(|(one, _), (other, _)| one < other));
        for (release, driver) in all() {
            let branch = newest(release.major).unwrap().1.branch;
            assert_eq!(driver.branch, branch, "vGPU {release}");
            assert!((1..=2).contains(&of(&driver).count()), "{driver}");
        }
        let majors: Vec<_> = RELEASES.iter().map(|(major, _)| *major).collect();
        assert_eq!(majors, (11..=20).collect::<Vec<_>>());
    }

    #[test]
    fn a_driver_is_named_by_its_version_or_by_a_release() {
        for (named, shown) in [
            ("17.5", "driver 550.144.02 (vGPU 17.5)"),
            ("16.9", "driver 535.230.02 (vGPU 16.9)"),
            ("19.2", "driver 580.95.02 (vGPU 19.2)"),
            ("16.14", "driver 535.309.01 (vGPU 16.14)"),
            ("11.10", "driver 450.216.04 (vGPU 11.10 and 11.11)"),
            ("550.144.02", "driver 550.144.02 (vGPU 17.5)"),
            ("535.183.04", "driver 535.183.04 (vGPU 16.6 and 16.7)"),
            ("450.80", "driver 450.80 (vGPU 11.1)"),
            // The desktop's.
            ("550.163.01", "driver 550.163.01"),
            ("550", "driver branch 550 (vGPU 17)"),
            ("17", "driver branch 550 (vGPU 17)"),
            ("560", "driver branch 560"),
            ("510", "driver branch 510 (vGPU 14)"),
        ] {
            assert_eq!(Named::parse(named).unwrap().to_string(), shown, "{named}");
        }
        assert_eq!(Named::parse("17.5").unwrap().version, version("550.144.02"));
        assert_eq!(Named::parse("17").unwrap().version.minor, 0);
    }

    #[test]
    fn what_is_not_known_is_said_with_what_is() {
        for (named, said) in [
            ("17.99", "vGPU 17.99 is not known; known are 17.0 to 17.6"),
            ("10.4", "vGPU 10.4 is not known; known are 11.0 to 20.1"),
            ("21", "vGPU 21 is not known; known are 11.0 to 20.1"),
        ] {
            assert_eq!(Named::parse(named).unwrap_err(), said);
        }
        for named in [
            "",
            "x",
            "17.x",
            "17.",
            ".5",
            "17.5.1",
            "550.",
            "550.1.2.3",
            "-17.5",
            "+550",
            "70000",
            "17.70000",
        ] {
            let said = Named::parse(named).unwrap_err();
            assert!(said.starts_with("expected a driver's version"), "{named}: {said}");
        }
    }
}
