//! Arguments and environments in the form in which WASI hands them out.

/// Strings, each with a NUL at its end, one after the other.
#[derive(Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    starts: Vec<u32>,
}

impl Strings {
    /// The arguments of a guest.
    pub(super) fn of_arguments(arguments: &[String]) -> Option<Self> {
        let bytes = arguments.iter().map(|argument| argument.len() + 1).sum();
        let mut all = Self::with_capacity(arguments.len(), bytes);
        for argument in arguments {
            all.push(&[argument])?;
        }
        Some(all)
    }

    /// The environment of a guest, as `NAME=value`.
    pub(super) fn of_environment<T: AsRef<str>>(environment: &[(T, T)]) -> Option<Self> {
        let of = |(name, value): &(T, T)| name.as_ref().len() + value.as_ref().len() + 2;
        let mut all = Self::with_capacity(environment.len(), environment.iter().map(of).sum());
        for (name, value) in environment {
            all.push(&[name.as_ref(), "=", value.as_ref()])?;
        }
        Some(all)
    }

    fn with_capacity(count: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), starts: Vec::with_capacity(count) }
    }

    /// Nothing if WASI, which counts in 32 bits, cannot have so much.
    fn push(&mut self, parts: &[&str]) -> Option<()> {
        self.starts.push(u32::try_from(self.bytes.len()).ok()?);
        for part in parts {
            self.bytes.extend_from_slice(part.as_bytes());
        }
        self.bytes.push(0);
        Some(())
    }

    /// All of them, with their NULs.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each begins.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// Each without its NUL.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let ends = self.starts.iter().skip(1).copied().chain(u32::try_from(self.bytes.len()));
        self.starts.iter().zip(ends).filter_map(|(&start, end)| {
            let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
            std::str::from_utf8(self.bytes.get(start..end.checked_sub(1)?)?).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_as_they_were() {
        for strings in [vec![], vec![""], vec!["a", "", "ü=\0b", "c"]] {
            let owned: Vec<String> = strings.iter().map(|&text| text.to_owned()).collect();
            let all = Strings::of_arguments(&owned).expect("small");
            assert_eq!(all.iter().collect::<Vec<_>>(), strings);
            assert_eq!(all.starts().len(), strings.len());
        }
    }

    #[test]
    fn an_environment_is_names_and_values() {
        let all = Strings::of_environment(&[("A", "1"), ("B", "x=y")]).expect("small");
        assert_eq!(all.bytes(), b"A=1\0B=x=y\0");
        assert_eq!(all.starts(), [0, 4]);
    }
}
