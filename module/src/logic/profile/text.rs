// SPDX-License-Identifier: GPL-2.0
//! Text as it is carried by a module parameter.
//!
//! `%` and two hexadecimal digits stand for a byte. Nothing else is special, so text can be written
//! without a space, a quotation mark or a backslash, all of which modprobe, a boot loader or the
//! kernel's own command line parser would take for themselves.

use super::hex_byte;

/// The longest text, its NUL included: the longest field there is.
pub const MAX_TEXT: usize = 128;

/// Text as it was written, without its quotation marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(&'a [u8]);

/// Why a text can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadText {
    /// `%` without two hexadecimal digits, at this offset.
    Escape(usize),
    /// A control character as such, at this offset.
    Control(usize),
    /// `%00`, which would end the text, at this offset.
    Nul(usize),
    /// It is not UTF-8.
    Utf8,
    /// It has [`MAX_TEXT`] bytes or more.
    TooLong,
}

/// Decoded text: shorter than [`MAX_TEXT`], UTF-8, without a NUL.
#[derive(Clone, Copy, Debug)]
pub struct Decoded {
    bytes: [u8; MAX_TEXT],
    len: usize,
}

impl Decoded {
    /// The text.
    pub fn as_str(&self) -> &str {
        // INVARIANT: `decode` is the only constructor, and looked whether it is UTF-8.
        let bytes = self.bytes.get(..self.len).unwrap_or(&[]);
        core::str::from_utf8(bytes).unwrap_or("")
    }
}

impl<'a> Text<'a> {
    /// Takes text as it is written between quotation marks.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// Replaces the escapes.
    ///
    /// # Errors
    /// The first thing that is wrong with the text.
    pub fn decode(&self) -> Result<Decoded, BadText> {
        let mut decoded = Decoded { bytes: [0; MAX_TEXT], len: 0 };
        let mut rest = self.0.iter().enumerate();
        while let Some((at, &c)) = rest.next() {
            let byte = match c {
                b'%' => {
                    let (high, low) = (rest.next(), rest.next());
                    let byte = high.zip(low).and_then(|((_, &h), (_, &l))| hex_byte(h, l));
                    byte.ok_or(BadText::Escape(at))?
                }
                0..=0x1f | 0x7f => return Err(BadText::Control(at)),
                c => c,
            };
            if byte == 0 {
                return Err(BadText::Nul(at));
            }
            // One byte of the buffer always stays zero.
            if decoded.len >= MAX_TEXT.saturating_sub(1) {
                return Err(BadText::TooLong);
            }
            if let Some(slot) = decoded.bytes.get_mut(decoded.len) {
                *slot = byte;
                decoded.len = decoded.len.saturating_add(1);
            }
        }
        match core::str::from_utf8(decoded.bytes.get(..decoded.len).unwrap_or(&[])) {
            Ok(_) => Ok(decoded),
            Err(_) => Err(BadText::Utf8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(raw: &str) -> Result<std::string::String, BadText> {
        Text::new(raw.as_bytes()).decode().map(|d| d.as_str().into())
    }

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(decode("").unwrap(), "");
        assert_eq!(decode("GRID P40-2Q").unwrap(), "GRID P40-2Q");
        assert_eq!(decode("My%20%22GPU%22 100%25").unwrap(), "My \"GPU\" 100%");
        assert_eq!(decode("%c3%A9é").unwrap(), "éé");
        assert_eq!(decode("a%09b").unwrap(), "a\tb");
        assert_eq!(decode(r"a\b").unwrap(), r"a\b");
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told() {
        assert_eq!(decode("ab%"), Err(BadText::Escape(2)));
        assert_eq!(decode("ab%2"), Err(BadText::Escape(2)));
        assert_eq!(decode("ab%2g"), Err(BadText::Escape(2)));
        assert_eq!(decode("a\nb"), Err(BadText::Control(1)));
        assert_eq!(decode("a%00b"), Err(BadText::Nul(1)));
        assert_eq!(decode("%ff"), Err(BadText::Utf8));
        assert_eq!(decode(&"x".repeat(127)).unwrap().len(), 127);
        assert_eq!(decode(&"x".repeat(128)), Err(BadText::TooLong));
    }
}
