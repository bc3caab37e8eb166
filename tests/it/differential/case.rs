//! Cases as data: a name, the steps, and what is known to differ.

use anyhow::Result;
use async_trait::async_trait;

use super::session::Session;

/// What a client does, over either protocol. Each gives one line (or several) of the transcript.
#[async_trait]
pub(super) trait Step: Send + Sync {
    /// Over the HTTP API.
    async fn http(&self, session: &mut Session) -> Result<String>;
    /// Over the gRPC API.
    async fn grpc(&self, session: &mut Session) -> Result<String>;
}

/// How a case talks to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    pub(super) const ALL: [Self; 2] = [Self::Http, Self::Grpc];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Grpc => "grpc",
        }
    }
}

/// One sequence of steps. In each text of a step, `$` is a word that no other case has, so that
/// cases share no key.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) steps: Vec<Box<dyn Step>>,
    protocols: &'static [Protocol],
    /// Differences that must show, by protocol and id.
    differs: Vec<(Protocol, &'static str)>,
}

/// A case for both protocols.
pub(super) fn case(name: impl Into<String>, steps: Vec<Box<dyn Step>>) -> Case {
    Case { name: name.into(), steps, protocols: &Protocol::ALL, differs: Vec::new() }
}

impl Case {
    /// Only for what the gRPC API does not have.
    pub(super) fn http_only(mut self) -> Self {
        self.protocols = &[Protocol::Http];
        self
    }

    /// Only for what the HTTP API does not have.
    pub(super) fn grpc_only(mut self) -> Self {
        self.protocols = &[Protocol::Grpc];
        self
    }

    /// This difference must show, over each protocol that the case has.
    pub(super) fn differs(mut self, id: &'static str) -> Self {
        self.differs.extend(Protocol::ALL.map(|protocol| (protocol, id)));
        self
    }

    /// This difference must show where `is_so`.
    pub(super) fn differs_if(self, is_so: bool, id: &'static str) -> Self {
        if is_so { self.differs(id) } else { self }
    }

    /// This difference must show over one protocol where `is_so`.
    pub(super) fn differs_if_over(self, is_so: bool, protocol: Protocol, id: &'static str) -> Self {
        if is_so { self.differs_over(protocol, id) } else { self }
    }

    /// This difference must show over one protocol only.
    pub(super) fn differs_over(mut self, protocol: Protocol, id: &'static str) -> Self {
        self.differs.push((protocol, id));
        self
    }

    pub(super) fn runs_over(&self, protocol: Protocol) -> bool {
        self.protocols.contains(&protocol)
    }

    pub(super) fn differences(&self, protocol: Protocol) -> Vec<&'static str> {
        let of = self.differs.iter().filter(|(over, _)| *over == protocol);
        of.map(|(_, id)| *id).collect()
    }
}

/// Steps of different kinds in one list.
macro_rules! steps {
    ($($step:expr),* $(,)?) => {
        vec![$(Box::new($step) as Box<dyn $crate::differential::case::Step>),*]
    };
}
pub(super) use steps;
