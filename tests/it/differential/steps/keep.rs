//! What changes the session itself.

use anyhow::Result;
use async_trait::async_trait;

use crate::differential::case::Step;
use crate::differential::session::Session;

/// Shows a token with all that follows.
pub(in crate::differential) struct Token(&'static str);

pub(in crate::differential) fn token(token: &'static str) -> Token {
    Token(token)
}

#[async_trait]
impl Step for Token {
    async fn http(&self, session: &mut Session) -> Result<String> {
        session.show_token(self.0);
        Ok(format!("token {:?}", self.0))
    }

    async fn grpc(&self, session: &mut Session) -> Result<String> {
        self.http(session).await
    }
}
