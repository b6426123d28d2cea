// SPDX-License-Identifier: GPL-2.0
//! A driver's version, such as `550.163.01`.

use core::fmt;

/// A version of NVIDIA's driver. The first number is the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// 450 to 580 as of today.
    pub branch: u16,
    /// The release within the branch.
    pub minor: u16,
    /// The third number, if there is one, with the number of digits it was written with.
    patch: Option<(u16, u8)>,
}

impl Version {
    /// Reads `550.163.01` or `535.98`; anything else is `None`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = text.split(|&c| c == b'.');
        let (branch, _) = number(parts.next()?)?;
        let (minor, _) = number(parts.next()?)?;
        let patch = match parts.next() {
            Some(part) => Some(number(part)?),
            None => None,
        };
        match parts.next() {
            None => Some(Self { branch, minor, patch }),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.branch, self.minor)?;
        match self.patch {
            Some((patch, digits)) => write!(f, ".{patch:0width$}", width = usize::from(digits)),
            None => Ok(()),
        }
    }
}

/// A decimal number of one to four digits, and how many they were.
fn number(digits: &[u8]) -> Option<(u16, u8)> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    let mut value = 0u16;
    for &c in digits {
        let digit = c.checked_sub(b'0').filter(|d| *d < 10)?;
        value = value.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some((value, u8::try_from(digits.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn reads_and_writes_what_nvidia_prints() {
        for text in ["550.163.01", "535.98", "470.256.02", "525.60.13", "580.82.2"] {
            assert_eq!(Version::parse(text.as_bytes()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in
            ["", "550", "550.", ".1", "550.1.2.3", "550.x", "55000.1", "-1.2", "550.1 ", "550.1:"]
        {
            assert_eq!(Version::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
