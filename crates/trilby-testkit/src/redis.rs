//! A `redis-server` of the test's own.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::leave_out;
use crate::process::{Process, free_port};
use crate::wait::PATIENCE;

/// A running Redis, empty at first.
pub struct Redis {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Redis {
    /// Whether `TRILBY_TEST_REDIS` names no program; says so.
    ///
    /// # Panics
    ///
    /// With `CI` set, where every part must be there.
    #[must_use]
    pub fn is_left_out() -> bool {
        let absent = std::env::var_os("TRILBY_TEST_REDIS").is_none_or(|path| path.is_empty());
        if absent {
            leave_out("TRILBY_TEST_REDIS (redis-server)");
        }
        absent
    }

    /// Starts `redis-server` on a free port, without persistence.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn start(program: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        command.arg(folder.path()).arg("--port").arg(port.to_string());
        let mut process = Process::start("redis-server", &mut command)?;
        process.line("Ready to accept connections").await.context("Redis does not start")?;
        Ok(Self { port, _process: process, _folder: folder })
    }

    /// Writes a value. To `configuration.redis`, `value||version` is a value with its version.
    ///
    /// # Errors
    ///
    /// When Redis does not do it.
    pub async fn set(&self, key: &str, value: &str) -> Result<()> {
        self.run(&["SET", key, value]).await.map(drop)
    }

    /// Deletes a key, if it is there.
    ///
    /// # Errors
    ///
    /// When Redis does not do it.
    pub async fn delete(&self, key: &str) -> Result<()> {
        self.run(&["DEL", key]).await.map(drop)
    }

    /// How many messages of a stream a consumer group has read and not acknowledged.
    ///
    /// # Errors
    ///
    /// When there is no such stream or group.
    pub async fn pending(&self, stream: &str, group: &str) -> Result<u64> {
        // The answer of XPENDING has many lines; the first is the number.
        const COUNT: &str = "return redis.call('XPENDING', KEYS[1], ARGV[1])[1]";
        let answer = self.run(&["EVAL", COUNT, "1", stream, group]).await?;
        let number = answer.trim_start_matches(':').trim_end();
        number.parse().with_context(|| format!("Redis tells no number: {answer}"))
    }

    /// Runs a command whose answer is one line, and gives that line.
    async fn run(&self, words: &[&str]) -> Result<String> {
        let answer = tokio::time::timeout(PATIENCE, self.exchange(words)).await;
        answer.context("Redis does not answer")?
    }

    async fn exchange(&self, words: &[&str]) -> Result<String> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?);
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        ensure!(answer.starts_with(['+', ':']), "Redis to {words:?}: {answer}");
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::Redis;

    #[tokio::test]
    async fn values_are_set_and_deleted() {
        if Redis::is_left_out() {
            return;
        }
        let redis = Redis::start(&std::env::var("TRILBY_TEST_REDIS").unwrap()).await.unwrap();
        redis.set("key", "a value||3").await.unwrap();
        assert_eq!(redis.run(&["STRLEN", "key"]).await.unwrap(), ":10\r\n");
        redis.delete("key").await.unwrap();
        assert_eq!(redis.run(&["EXISTS", "key"]).await.unwrap(), ":0\r\n");
        let error = redis.run(&["NOSUCH"]).await.unwrap_err().to_string();
        assert!(error.contains("unknown command"), "{error}");
    }
}
