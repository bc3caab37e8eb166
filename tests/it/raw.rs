//! HTTP/1.1 by hand, for what a client library hides or refuses to do.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trilby_testkit::Trilby;

/// Bounds a failing test; a passing one never gets near.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection.
pub(crate) struct Connection(BufReader<TcpStream>);

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

impl Connection {
    pub(crate) async fn open(trilby: &Trilby) -> Result<Self> {
        let stream = TcpStream::connect(&trilby.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.0.write_all(bytes.as_ref()).await.context("cannot send")
    }

    /// Sends a chunk of a chunked body; an empty one ends it.
    pub(crate) async fn send_chunk(&mut self, data: &str) -> Result<()> {
        self.send(format!("{:x}\r\n{data}\r\n", data.len())).await
    }

    /// Ends the sending side only.
    pub(crate) async fn finish_sending(&mut self) -> Result<()> {
        self.0.shutdown().await.context("cannot shut down")
    }

    /// The head of the next answer.
    pub(crate) async fn head(&mut self) -> Result<Head> {
        let first = self.line().await?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("not a status line: {first:?}"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(Head { status, headers });
            }
            let (name, value) = line.split_once(':').context("not a header")?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// The next chunk of a chunked body; empty at its end.
    pub(crate) async fn chunk(&mut self) -> Result<String> {
        let size = usize::from_str_radix(&self.line().await?, 16)?;
        let chunk = self.exactly(size).await?;
        ensure!(self.line().await?.is_empty(), "a chunk without its end");
        Ok(String::from_utf8(chunk)?)
    }

    /// The next answer, with its whole body.
    pub(crate) async fn answer(&mut self) -> Result<(Head, String)> {
        let head = self.head().await?;
        if let Some(length) = head.header("content-length") {
            let body = self.exactly(length.parse()?).await?;
            return Ok((head, String::from_utf8(body)?));
        }
        ensure!(head.header("transfer-encoding") == Some("chunked"), "no length: {head:?}");
        let mut body = String::new();
        loop {
            match &*self.chunk().await? {
                "" => return Ok((head, body)),
                chunk => body.push_str(chunk),
            }
        }
    }

    /// Whatever comes until the server ends the connection.
    pub(crate) async fn rest(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut all)).await.context("no end in sight")??;
        Ok(all)
    }

    async fn exactly(&mut self, size: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        timeout(PATIENCE, self.0.read_exact(&mut bytes)).await.context("nothing more comes")??;
        Ok(bytes)
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        timeout(PATIENCE, self.0.read_line(&mut line)).await.context("nothing more comes")??;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => bail!("the connection ended at {line:?}"),
        }
    }
}

/// Sends one request on a connection of its own and gives the answer.
pub(crate) async fn request(trilby: &Trilby, text: &str) -> Result<(Head, String)> {
    let mut connection = Connection::open(trilby).await?;
    connection.send(text).await?;
    connection.answer().await
}
