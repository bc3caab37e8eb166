//! A real Redis that comes and goes, and the metadata.

use std::process::{Child, Command, Stdio};

use super::*;

/// A `redis-server` of the test's own, empty at first, which keeps nothing.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    /// Starts the program that `TRILBY_TEST_REDIS` names. `None` without one, unless `CI` is set,
    /// where every part must be there.
    pub(crate) fn start() -> Option<Self> {
        let program = std::env::var("TRILBY_TEST_REDIS").ok().filter(|path| !path.is_empty());
        let Some(program) = program else {
            assert!(
                std::env::var_os("CI").is_none(),
                "TRILBY_TEST_REDIS (redis-server) is not set"
            );
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Self::start_at(&program, port))
    }

    fn start_at(program: &str, port: u16) -> Self {
        let child = Command::new(program)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { port, child }
    }

    /// Ends it, and with it all that it has.
    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same again, on the same port.
    pub(crate) fn start_again(&mut self) {
        *self = Self::start_at(&std::env::var("TRILBY_TEST_REDIS").unwrap(), self.port);
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn open(metadata: &[(&str, &str)]) -> Result<Redis, String> {
    let component = Component::for_test("store", "state.redis", metadata, 3);
    Redis::open(&component).map_err(|error| error.to_string())
}

/// Asks until there is an answer: a server takes its time to start.
pub(crate) async fn until_there(redis: &Redis) {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match redis.query::<String>(soon(), &redis::cmd("PING")).await {
            Ok(_) => return,
            Err(failure) => assert!(Instant::now() < patience, "{failure}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_and_is_found_again() {
    let Some(mut server) = Server::start() else { return };
    let redis = open(&[("redisHost", &server.host())]).unwrap();
    until_there(&redis).await;
    for _ in 0..2 {
        server.stop();
        let expected = format!("cannot reach Redis at 127.0.0.1:{}: ", server.port);
        let failure = redis.query::<String>(soon(), &redis::cmd("PING")).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::Lost(text) if text.starts_with(&expected)),
            "{failure}"
        );
        server.start_again();
        // Other clients see it before this one asks.
        until_there(&open(&[("redisHost", &server.host())]).unwrap()).await;
        let answer = redis.query::<String>(soon(), &redis::cmd("PING")).await;
        assert_eq!(answer.as_deref(), Ok("PONG"), "the first call after the return");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_an_error_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let redis =
        open(&[("redisHost", &host), ("readTimeout", "50"), ("dialTimeout", "50ms")]).unwrap();
    let failure = redis.query::<String>(soon(), &redis::cmd("PING")).await.unwrap_err();
    assert_eq!(failure, Failure::Lost(format!("Redis at {host} does not answer in time")));
}

#[tokio::test]
async fn what_redis_refuses_has_its_words() {
    let Some(server) = Server::start() else { return };
    let redis = open(&[("redisHost", &server.host())]).unwrap();
    until_there(&redis).await;
    let failure = redis.query::<String>(soon(), &redis::cmd("NOSUCH")).await.unwrap_err();
    let Failure::Refused(text) = failure else { panic!("{failure}") };
    assert!(text.starts_with("ERR unknown command 'NOSUCH'"), "{text}");

    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("requirepass").arg("right");
    redis.query::<()>(soon(), &set).await.unwrap();
    let with = |password: &str| {
        open(&[("redisHost", &server.host()), ("redisPassword", password)]).unwrap()
    };
    until_there(&with("right")).await;
    let failure = with("hunter2").query::<String>(soon(), &redis::cmd("PING")).await.unwrap_err();
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
    assert!(failure.to_string().contains("invalid username-password"), "{failure}");
}

#[test]
fn addresses_are_read_as_daprd_reads_them() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("redisHost", "redis")], "redis:6379"),
        (&[("redisHost", "redis:1")], "redis:1"),
        (&[("redisHost", "redis"), ("redisPort", "2")], "redis:2"),
        (&[("redisHost", "redis:2"), ("redisPort", "2")], "redis:2"),
        (&[("redisHost", "::1")], "::1:6379"),
        (&[("redisHost", "[::1]:7")], "::1:7"),
    ];
    for (metadata, expected) in cases {
        assert_eq!(open(metadata).unwrap().shown(), *expected);
    }
}

#[test]
fn mistakes_are_pointed_at() {
    let with = |name: &str, value: &str| {
        let redis = open(&[("redisHost", "r"), (name, value)]);
        redis.err().unwrap()
    };
    let only = |value: &str| open(&[("redisHost", value)]).err().unwrap();
    let daprd = "or run the app with a daprd sidecar";
    let cases = [
        (only(""), "a state.redis needs the metadata `redisHost`".to_owned()),
        (only(":1"), "`redisHost` is `:1`, which names no host; write `host:port`".to_owned()),
        (only("r:x"), "`redisHost` is `r:x`, whose port is none; write `host:port`".to_owned()),
        (
            only("a:1,b:1"),
            "`redisHost` is `a:1,b:1`, which names several servers; the embedded runtime takes one"
                .to_owned(),
        ),
        (with("redisPort", "x"), "`redisPort` must be from 0 to 65535".to_owned()),
        (with("redisDB", "-1"), "`redisDB` must be a whole number from 0".to_owned()),
        (
            with("dialTimeout", "soon"),
            "`dialTimeout` is `soon`, which is no duration; write 500ms or 5s, or a number of \
             milliseconds"
                .to_owned(),
        ),
        (
            with("failover", "true"),
            format!("the embedded runtime knows no Redis Sentinel; remove `failover`, {daprd}"),
        ),
        (
            with("redisType", "cluster"),
            format!(
                "the embedded runtime knows single Redis servers only, no cluster; remove \
                 `redisType`, {daprd}"
            ),
        ),
        (
            with("insecureSkipTLSVerify", "true"),
            format!(
                "the embedded runtime always verifies the certificate of a server; remove \
                 `insecureSkipTLSVerify`, {daprd}"
            ),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, format!("c.yaml:3: {expected}"));
    }
    let tls = open(&[
        ("redisHost", "r"),
        ("enableTLS", "true"),
        ("clientCert", "hunter2"),
        ("clientKey", "hunter2"),
    ]);
    assert_eq!(
        tls.err().unwrap(),
        "c.yaml:3: `clientCert` and `clientKey` must be a certificate and its key in PEM form"
    );
}

#[test]
fn timeouts_are_in_milliseconds_and_bounded() {
    for (text, expected) in
        [("250", 250), ("2s", 2_000), ("0", 5_000), ("-1", 60_000), ("10m", 60_000)]
    {
        let redis = open(&[("redisHost", "r"), ("dialTimeout", text)]).unwrap();
        assert_eq!(redis.dial_timeout, Duration::from_millis(expected), "{text}");
    }
}
