//! Cases at one API: their transcripts.

use anyhow::{Context, Result};
use trilby_testkit::World;

use super::case::{Case, Protocol, Step};
use super::normal::Normal;
use super::session::Session;

/// What the steps of a case told, over one protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) lines: Vec<String>,
}

/// The transcripts of all cases, in their order, over each protocol that they have.
pub(super) async fn run(world: &World, cases: &[Case]) -> Result<Vec<(Protocol, Transcript)>> {
    let api = world.api.as_ref().context("this world serves no API")?;
    let mut transcripts = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        for protocol in Protocol::ALL.into_iter().filter(|protocol| case.runs_over(*protocol)) {
            let word = format!("w{number}{}", protocol.name());
            let mut session = Session::new(api, word)?;
            session.keep("app", world.app_id.clone().into());
            let lines = transcript(world, &mut session, protocol, &case.steps).await;
            transcripts.push((protocol, Transcript { lines }));
        }
    }
    Ok(transcripts)
}

/// The lines of some steps.
pub(super) async fn transcript(
    world: &World,
    session: &mut Session,
    protocol: Protocol,
    steps: &[Box<dyn Step>],
) -> Vec<String> {
    let normal = Normal::new(&world.app_id, world.folder.path());
    let mut lines = Vec::new();
    for step in steps {
        let told = match protocol {
            Protocol::Http => step.http(session).await,
            Protocol::Grpc => step.grpc(session).await,
        };
        // What the API does not do at all is an answer, too.
        let told = told.unwrap_or_else(|error| format!("failed: {error:#}"));
        lines.extend(normal.apply(&told).lines().map(str::to_owned));
    }
    lines
}

/// Names of the transcripts, in the order of [`run`].
pub(super) fn names(cases: &[Case]) -> Vec<String> {
    let mut names = Vec::new();
    for case in cases {
        let over = Protocol::ALL.into_iter().filter(|protocol| case.runs_over(*protocol));
        names.extend(over.map(|protocol| format!("{} over {}", case.name, protocol.name())));
    }
    names
}
