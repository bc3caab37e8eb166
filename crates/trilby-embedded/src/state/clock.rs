//! The time of day, which a test may set.

use jiff::Timestamp;

/// Tells the time.
#[derive(Clone)]
pub(super) struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::Mutex<Timestamp>>),
}

impl Clock {
    /// The clock of the system.
    pub(super) fn system() -> Self {
        Self(Source::System)
    }

    pub(super) fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            #[cfg(test)]
            Source::Set(time) => *time.lock().unwrap(),
        }
    }

    /// A clock that stands still until it is moved.
    #[cfg(test)]
    pub(super) fn set(time: &str) -> Self {
        let time = time.parse().expect("a timestamp");
        Self(Source::Set(std::sync::Arc::new(std::sync::Mutex::new(time))))
    }

    #[cfg(test)]
    pub(super) fn advance(&self, seconds: i64) {
        let Source::Set(time) = &self.0 else { panic!("the system's clock") };
        let mut time = time.lock().unwrap();
        *time += jiff::SignedDuration::from_secs(seconds);
    }
}

/// A time as Dapr writes it: RFC 3339 in UTC, whole seconds.
pub(super) fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
