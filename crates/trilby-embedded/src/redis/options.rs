//! The metadata of a component that keeps something in Redis.

use std::time::Duration;

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, ProtocolVersion,
    RedisConnectionInfo, TlsCertificates,
};

use crate::Error;
use crate::component::{Component, HIDDEN};
use crate::duration;

/// The names that daprd's Redis components know for the connection. Those for a pool and for
/// retries have no effect: there is one connection, which all calls share.
pub(crate) const METADATA: &[&str] = &[
    "redisHost",
    "redisPort",
    "redisUsername",
    "redisPassword",
    "redisDB",
    "redisType",
    "enableTLS",
    "insecureSkipTLSVerify",
    "clientCert",
    "clientKey",
    "dialTimeout",
    "readTimeout",
    "writeTimeout",
    "failover",
    "sentinelMasterName",
    "sentinelUsername",
    "sentinelPassword",
    "useEntraID",
    "useAzureAD",
    "poolSize",
    "poolTimeout",
    "minIdleConns",
    "maxConnAge",
    "idleTimeout",
    "idleCheckFrequency",
    "redisMaxRetries",
    "redisMinRetryInterval",
    "redisMaxRetryInterval",
    "maxRetries",
    "maxRetryBackoff",
];

/// Where Redis listens if the metadata names no port.
const PORT: u16 = 6379;

/// The defaults of daprd's client.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// No wait is longer, also where daprd would wait for ever.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// How to reach a server.
pub(super) struct Options {
    pub(super) client: Client,
    pub(super) shown: String,
    pub(super) dial_timeout: Duration,
    pub(super) read_timeout: Duration,
}

impl Options {
    pub(super) fn of(component: &Component) -> Result<Self, Error> {
        refuse(component)?;
        let (host, port) = address(component)?;
        let hidden = component.is_secret("redisHost") || component.is_secret("redisPort");
        let shown = if hidden { HIDDEN.to_owned() } else { format!("{host}:{port}") };
        let client = client(component, host, port)?;
        // What daprd's client waits for when it writes counts here as part of the answer's time.
        let read = timeout(component, "readTimeout", READ_TIMEOUT)?;
        let write = timeout(component, "writeTimeout", Duration::ZERO)?;
        Ok(Self {
            client,
            shown,
            dial_timeout: timeout(component, "dialTimeout", DIAL_TIMEOUT)?,
            read_timeout: read.max(write),
        })
    }
}

/// What only daprd has is an error, and not left out: an app must not find itself on another server
/// than the file says, or on one that anybody may pose as.
fn refuse(component: &Component) -> Result<(), Error> {
    let refuse = |name: &str, what: &str| {
        let message = format!(
            "the embedded runtime {what}; remove `{name}`, or run the app with a daprd sidecar"
        );
        Err(component.mistake_in(name, message))
    };
    if component.flag("failover") {
        return refuse("failover", "knows no Redis Sentinel");
    }
    if component.get("redisType").is_some_and(|kind| !kind.eq_ignore_ascii_case("node")) {
        return refuse("redisType", "knows single Redis servers only, no cluster");
    }
    if component.flag("useEntraID") || component.flag("useAzureAD") {
        return refuse("useEntraID", "cannot sign in with Entra ID");
    }
    if component.flag("insecureSkipTLSVerify") {
        return refuse("insecureSkipTLSVerify", "always verifies the certificate of a server");
    }
    Ok(())
}

fn address(component: &Component) -> Result<(String, u16), Error> {
    let text = component.required("redisHost")?;
    let wrong = |name: &str, why: &str| {
        let shown = component.shown("redisHost", text);
        Err(component.mistake_in(name, format!("`redisHost` is `{shown}`, {why}")))
    };
    if text.contains(',') {
        return wrong("redisHost", "which names several servers; the embedded runtime takes one");
    }
    let port = match component.get("redisPort").map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) => Some(port).filter(|port| *port != 0),
        Some(Err(_)) => {
            return Err(component.mistake_in("redisPort", "`redisPort` must be from 0 to 65535"));
        }
    };
    // An IPv6 address without brackets has no port, since its colons are its own.
    let (host, own) = match text.rsplit_once(':') {
        Some((host, own)) if !host.contains(':') || host.ends_with(']') => (host, Some(own)),
        _ => (text, None),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return wrong("redisHost", "which names no host; write `host:port`");
    }
    let Some(own) = own else { return Ok((host.to_owned(), port.unwrap_or(PORT))) };
    let Ok(own) = own.parse::<u16>() else {
        return wrong("redisHost", "whose port is none; write `host:port`");
    };
    if port.is_some_and(|port| port != own) {
        return wrong("redisPort", "which has another port than `redisPort`; remove one of them");
    }
    Ok((host.to_owned(), own))
}

fn client(component: &Component, host: String, port: u16) -> Result<Client, Error> {
    // With RESP3 a lost connection is noticed, and made again, before the next call.
    let mut settings = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3);
    if let Some(text) = component.get("redisDB") {
        let database = text.parse().ok().filter(|number| *number >= 0);
        let database = database.ok_or_else(|| {
            component.mistake_in("redisDB", "`redisDB` must be a whole number from 0")
        })?;
        settings = settings.set_db(database);
    }
    if let Some(name) = component.get("redisUsername") {
        settings = settings.set_username(name);
    }
    if let Some(password) = component.get("redisPassword") {
        settings = settings.set_password(password);
    }
    let is_tls = component.flag("enableTLS");
    let address = if is_tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let wrong = |_| component.mistake_in("redisHost", "`redisHost` cannot be used");
    let info = address.into_connection_info().map_err(wrong)?.set_redis_settings(settings);
    match (component.get("clientCert"), component.get("clientKey")) {
        (Some(cert), Some(key)) if is_tls => {
            let client_tls = ClientTlsConfig { client_cert: cert.into(), client_key: key.into() };
            let tls = TlsCertificates { client_tls: Some(client_tls), root_cert: None };
            // The library's text could quote the key.
            Client::build_with_tls(info, tls).map_err(|_| {
                component.mistake_in(
                    "clientCert",
                    "`clientCert` and `clientKey` must be a certificate and its key in PEM form",
                )
            })
        }
        _ => Client::open(info).map_err(wrong),
    }
}

/// As daprd reads them here: a plain number is in milliseconds, zero is the default, and less is no
/// bound, which is the longest one here.
fn timeout(component: &Component, name: &str, default: Duration) -> Result<Duration, Error> {
    let Some(text) = component.get(name) else { return Ok(default) };
    let parsed = match text.parse::<i64>() {
        Ok(number) if number < 0 => Some(TIMEOUT_MAX),
        Ok(number) => Some(Duration::from_millis(number.unsigned_abs())),
        Err(_) => duration::parse(text),
    };
    let parsed = parsed.ok_or_else(|| {
        let text = component.shown(name, text);
        component.mistake_in(
            name,
            format!(
                "`{name}` is `{text}`, which is no duration; write 500ms or 5s, or a number of \
                 milliseconds"
            ),
        )
    })?;
    Ok(if parsed.is_zero() { default } else { parsed.min(TIMEOUT_MAX) })
}
