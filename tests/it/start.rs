//! What `trilby serve` serves, where it listens and what it says: the banner, flags, `PORT`.

use std::net::TcpListener;

use anyhow::Result;
use insta::assert_snapshot;
use trilby_testkit::{Client, Launch, Trilby, free_port};

use crate::folder::{Folder, MANIFEST, saying};

/// A launch that says nothing but its banner.
fn quiet(folder: &Folder) -> Launch {
    folder.launch().env("TRILBY_LOG", "off")
}

/// The whole banner, without what differs from start to start.
async fn banner(folder: &Folder, trilby: &mut Trilby) -> Result<String> {
    let ready = trilby.logged("ready in ").await?;
    let (_, rest) = ready.split_once(" ms").unwrap_or_default();
    let text = folder.filtered(&trilby.output());
    let text = text.replace(&ready, &format!("ready in [N] ms{rest}"));
    Ok(text.replace(&trilby.address, "[ADDRESS]"))
}

#[tokio::test]
async fn the_banner_tells_what_is_served() -> Result<()> {
    let more = "grants = { state = [\"statestore/a*\"], publish = [\"pubsub/t\"] }\n\
                limits = { deadline = \"2500ms\", memory = \"16 MiB\" }\n\n\
                [[route]]\ntopic = \"pubsub/t\"\nmodule = \"a.wat\"\n\n\
                [[route]]\nbinding = \"tick\"\nmodule = \"b.wat\"\n";
    let tick = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: tick\nspec:\n  \
                type: bindings.cron\n  metadata:\n  - name: schedule\n    value: \"@every 1h\"\n";
    let folder = Folder::with_app()?.with("trilby.toml", format!("{MANIFEST}{more}"))?;
    let folder = folder.with("b.wat", saying("b\n"))?.with("components/tick.yaml", tick)?;
    let mut trilby = quiet(&folder).start().await?;
    assert_snapshot!(banner(&folder, &mut trilby).await?, @r"
    trilby 0.1.0   app  (trilby.toml)

    ROUTE          MODULE  LIMITS            GRANTS
    ANY  /...      a.wat   2s 500ms, 16 MiB  state:statestore/a* publish:pubsub/t
    SUB  pubsub/t  a.wat   10s, 64 MiB       -
    BIND tick      b.wat   10s, 64 MiB       -

    dapr      embedded: tick (bindings.cron), statestore (state.sqlite), pubsub (pubsub.in-memory)
    serving   http://[ADDRESS]
    ready in [N] ms  (2 modules, 0 from the cache)
    ");
    let mut trilby = quiet(&folder).env("DAPR_GRPC_ENDPOINT", "http://127.0.0.1:7").start().await?;
    assert_snapshot!(banner(&folder, &mut trilby).await?, @r"
    trilby 0.1.0   app  (trilby.toml)

    ROUTE          MODULE  LIMITS            GRANTS
    ANY  /...      a.wat   2s 500ms, 16 MiB  state:statestore/a* publish:pubsub/t
    SUB  pubsub/t  a.wat   10s, 64 MiB       -
    BIND tick      b.wat   10s, 64 MiB       -

    dapr      sidecar at 127.0.0.1:7
    serving   http://[ADDRESS]
    ready in [N] ms  (2 modules, 2 from the cache)
    ");
    Ok(())
}

#[tokio::test]
async fn a_module_alone_is_served() -> Result<()> {
    let folder = Folder::with_app()?.with("b.wasm", saying("b\n"))?;
    for (path, expected) in [("a.wat", "a\n"), ("b.wasm", "b\n")] {
        let mut launch = quiet(&folder);
        launch.path = path.into();
        let mut trilby = launch.start().await?;
        assert_eq!(trilby.http.get("/any/path").await?.text(), expected);
        if path == "b.wasm" {
            assert_snapshot!(banner(&folder, &mut trilby).await?, @r"
            trilby 0.1.0   b  (b.wasm)

            ROUTE      MODULE  LIMITS       GRANTS
            ANY  /...  b.wasm  10s, 64 MiB  -

            dapr      embedded, no components
            serving   http://[ADDRESS]
            ready in [N] ms  (1 module, 0 from the cache)
            ");
        }
    }
    // What uses no state leaves no store behind.
    assert!(!folder.path(".trilby").exists());
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_flag() -> Result<()> {
    let folder = Folder::with_app()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let mut launch = quiet(&folder);
    launch.args = vec!["--listen".to_owned(), address.clone()];
    let ended = folder.ends(launch.command()?).await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{}", ended.stderr);
    assert_snapshot!(ended.stderr.replace(&address, "[ADDRESS]"), @"error: [ADDRESS] is in use by another process; choose another with --listen HOST:PORT (port 0 takes a free one)");
    Ok(())
}

/// Knative and its like say with `PORT` where to listen, on every address of the machine.
#[tokio::test]
async fn port_from_the_environment_is_listened_on() -> Result<()> {
    let folder = Folder::with_app()?;
    let mut launch = quiet(&folder);
    launch.args.clear();
    let port = free_port()?;
    let trilby = launch.clone().env("PORT", port.to_string()).start().await?;
    assert_eq!(trilby.address, format!("0.0.0.0:{port}"));
    for host in ["127.0.0.1", "127.0.0.2"] {
        let http = Client::new(&format!("http://{host}:{port}"));
        assert_eq!(http.get("/").await?.text(), "a\n");
    }
    drop(trilby);
    for (port, expected) in [("http", "`http`"), ("70000", "`70000`"), ("-1", "`-1`")] {
        let ended = folder.ends(launch.clone().env("PORT", port).command()?).await?;
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        let expected =
            format!("error: PORT is {expected}, which is not a port number from 0 to 65535\n");
        assert_eq!((ended.stdout.as_str(), ended.stderr), ("", expected));
    }
    // The flag goes first.
    let trilby = quiet(&folder).env("PORT", "http").start().await?;
    assert!(trilby.address.starts_with("127.0.0.1:"), "{}", trilby.address);
    Ok(())
}

#[tokio::test]
async fn what_is_no_address_is_told() -> Result<()> {
    let folder = Folder::with_app()?;
    for text in ["", "3000", ":80", "localhost", "[::1]", "127.0.0.1:70000", "a b:1", "::1"] {
        let mut launch = quiet(&folder);
        launch.args = vec![format!("--listen={text}")];
        let expected = format!(
            "error: --listen is `{text}`, which is no address here; write HOST:PORT, as in \
             127.0.0.1:3000, [::]:8080 or localhost:3000\n"
        );
        assert_eq!(folder.refuses(launch).await?, expected);
    }
    for (given, bad) in [("proxy", "proxy"), ("10.0.0.0/8,::1/129", "::1/129")] {
        let mut launch = quiet(&folder);
        launch.args.push(format!("--trusted-proxies={given}"));
        let expected = format!(
            "error: `--trusted-proxies` has `{bad}`: write an address and the bits that count: \
             `10.0.0.0/8`\n"
        );
        assert_eq!(folder.refuses(launch).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_sidecar_that_cannot_be_is_refused() -> Result<()> {
    let folder = Folder::with_app()?;
    let with = |name, value: &str| folder.refuses(quiet(&folder).env(name, value));
    assert_snapshot!(with("DAPR_GRPC_PORT", "fifty").await?, @"error: DAPR_GRPC_PORT is `fifty`, which is not a port number");
    assert_snapshot!(with("DAPR_GRPC_ENDPOINT", "http://").await?, @"error: DAPR_GRPC_ENDPOINT is `http://`, which is no endpoint; write host:port, http://host:port, https://host:port or unix:/path/to.socket");
    Ok(())
}

#[tokio::test]
async fn flags_that_are_not_known_have_exit_code_2() -> Result<()> {
    let folder = Folder::with_app()?;
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage: trilby [OPTIONS] <COMMAND>"),
        (&["srve"], "a similar subcommand exists: 'serve'"),
        (&["serve", "--lisen", "127.0.0.1:0"], "a similar argument exists: '--listen'"),
        (&["serve", "--tls-cert", "cert.pem"], "--tls-key <FILE>"),
        (&["serve", "a", "b"], "unexpected argument 'b' found"),
        (&["serve", "--drain-timeout", "soon"], "invalid value 'soon' for '--drain-timeout"),
        (&["serve", "--cache-dir", "c", "--no-cache"], "cannot be used with"),
    ];
    for (args, expected) in cases {
        let mut command = folder.trilby(args)?;
        command.env_remove("TRILBY_CACHE_DIR");
        let ended = folder.ends(command).await?;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(ended.stderr.contains(expected), "{args:?}: {}", ended.stderr);
    }
    let ended = folder.ends(folder.trilby(&["--version"])?).await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("trilby "), "{}", ended.stdout);
    Ok(())
}
