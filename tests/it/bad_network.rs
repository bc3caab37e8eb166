//! What a `trilby.toml` says of hosts, networks and limits with mistakes: exit code 64, each mistake
//! with its line and what to write, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::bad_manifest::{brief, refused, refused_route};
use crate::folder::MANIFEST;

#[tokio::test]
async fn allowed_hosts_are_origins() -> Result<()> {
    let hosts = "allowed-hosts = [\"example.com\", \"https://example.com/path\", \
                 \"http://example.com:0\", \"http://127.1\", \"insecure:allow-all\"]";
    assert_snapshot!(brief(&refused_route(hosts).await?), @r"
    trilby.toml:7:18: `example.com` does not begin with `https://` or `http://`: write it like `https://api.example.com`
    trilby.toml:7:33: an allowed host has no path or query: write only `https://example.com`
    trilby.toml:7:61: `0` is not a port: write 1 to 65535, or `*` for any
    trilby.toml:7:85: `127.1` is not a host: write a name (`api.example.com`, `*.example.com`), an address (`10.0.0.1`, `[fd00::1]`), or `*` for any; a name with other letters takes its `xn--` form
    trilby.toml:7:101: `insecure:allow-all` is for `modules.toml` only: write `http://*:*` and `https://*:*`
    ");
    Ok(())
}

/// Not even in the manifest's own line: it may be a log that this goes to.
#[tokio::test]
async fn a_password_is_not_repeated() -> Result<()> {
    let told = refused_route("allowed-hosts = [\"https://user:secret@example.com\"]").await?;
    let expected = "error: an allowed host has no user name or password: write only `https://` and \
                    the host\n";
    assert!(told.starts_with(expected), "{told}");
    assert!(!told.contains("secret"), "{told}");
    Ok(())
}

#[tokio::test]
async fn networks_are_addresses_with_a_length() -> Result<()> {
    let networks = "allowed-hosts = [\"http://*\"]\n\
                    allowed-networks = [\"10.0.0.1/8\", \"::ffff:10.0.0.0/104\", \"localhost\"]";
    assert_snapshot!(brief(&refused_route(networks).await?), @r"
    trilby.toml:8:21: `10.0.0.1/8` is not a network
      = write `10.0.0.0/8`, or `10.0.0.1` for this address alone
    trilby.toml:8:35: `::ffff:10.0.0.0/104` is not a network
      = write it as IPv4: `10.0.0.0/8`
    trilby.toml:8:58: `localhost` is not a network
      = write an address and the bits that count: `10.0.0.0/8`
    ");
    assert_snapshot!(brief(&refused_route("allowed-networks = [\"10.0.0.0/8\"]").await?), @r"
    trilby.toml:7:1: `allowed-networks` means nothing without `allowed-hosts`
      = name the hosts, too: the networks only say where their names may lead
    ");
    let server = "\n[server]\ntrusted-proxies = [\"proxy\"]\ntrusted_proxies = []\n";
    assert_snapshot!(brief(&refused(&format!("{MANIFEST}{server}")).await?), @r"
    trilby.toml:9:20: `proxy` is not a network
      = write an address and the bits that count: `10.0.0.0/8`
    trilby.toml:10:1: unknown key `trusted_proxies` in `[server]`
      = did you mean `trusted-proxies`?
    ");
    Ok(())
}

#[tokio::test]
async fn authorization_is_yes_or_no() -> Result<()> {
    assert_snapshot!(brief(&refused_route("authorization = \"yes\"").await?), @"trilby.toml:7:17: `authorization` must be `true` or `false`, found string");
    Ok(())
}

/// A route has no limits of the process, and no more than the process.
#[tokio::test]
async fn limits_have_their_places() -> Result<()> {
    let route = "limits = { connections = 5, head-timeout = \"1s\", write-timeout = \"1s\", \
                 concurrency = 300, trusted-proxies = [] }";
    assert_snapshot!(brief(&refused_route(route).await?), @r"
    trilby.toml:7:12: `connections` is a limit of the whole process, not of a route
      = set it in `[limits]` at the top of the file
    trilby.toml:7:29: `head-timeout` is a limit of the whole process, not of a route
      = set it in `[limits]` at the top of the file
    trilby.toml:7:50: `write-timeout` is a limit of the whole process, not of a route
      = set it in `[limits]` at the top of the file
    trilby.toml:7:86: a route's `concurrency` must not be above the process's, which is 256
      = lower it, or raise `concurrency` in `[limits]` at the top
    trilby.toml:7:91: unknown key `trusted-proxies` in a route's limits
      = `trusted-proxies` belongs in `[server]`
    ");
    let lower = "\n[limits]\nconcurrency = 2\n";
    let manifest = format!("{MANIFEST}limits = {{ concurrency = 3 }}\n{lower}");
    assert_snapshot!(refused(&manifest).await?, @r"
    error: a route's `concurrency` must not be above the process's, which is 2
      --> trilby.toml:7:26
       |
     7 | limits = { concurrency = 3 }
       |                          ^
    ...
    10 | concurrency = 2
       |               - the process's
       |
       = help: lower it, or raise `concurrency` in `[limits]` at the top
    ");
    let elsewhere = "deadline = \"1s\"\n\n[server]\nconnections = 5\n";
    assert_snapshot!(brief(&refused_route(elsewhere).await?), @r"
    trilby.toml:7:1: unknown key `deadline` in a route
      = `deadline` belongs in `[limits]`, or in the `limits` of a route
    trilby.toml:10:1: unknown key `connections` in `[server]`
      = `connections` belongs in `[limits]`
    ");
    Ok(())
}

#[tokio::test]
async fn limits_have_bounds() -> Result<()> {
    let limits = "\n[limits]\ndeadline = \"2h\"\ncpu = \"0s\"\nhttp-timeout = \"soon\"\n\
                  memory = \"1 KiB\"\nhead-in = \"1 GiB\"\nhead-out = \"1 B\"\nbody-in = 5\n\
                  http-body = \"5 apples\"\nhttp-calls = 1001\nqueue = 0\nmemroy = \"1 MiB\"\n";
    assert_snapshot!(brief(&refused(&format!("{MANIFEST}{limits}")).await?), @r#"
    trilby.toml:9:12: `deadline` must not be longer than 1h
    trilby.toml:10:7: `cpu` must not be zero
    trilby.toml:11:16: `http-timeout` must be a duration such as "10s", found "soon"
      = write numbers and units (ms, s, m, h), as in "1m 30s"
    trilby.toml:12:10: `memory` must be at least 64.0 KiB
    trilby.toml:13:11: `head-in` must be at most 256.0 KiB
    trilby.toml:14:12: `head-out` must be at least 256 B
    trilby.toml:15:11: `body-in` must be a size such as "64 MiB", found integer
    trilby.toml:16:13: `http-body` must be a size such as "64 MiB", found "5 apples"
      = the units are B, KiB, MiB, GiB (of 1024) and kB, MB, GB (of 1000)
    trilby.toml:17:14: `http-calls` must be between 1 and 1000
    trilby.toml:18:9: `queue` must be between 1 and 1000000
    trilby.toml:19:1: unknown key `memroy` in `[limits]`
      = did you mean `memory`?
    "#);
    Ok(())
}
