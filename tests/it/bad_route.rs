//! What a `trilby.toml` says of HTTP with mistakes, inward and outward: exit code 64, each mistake
//! with its line and what to write, and nothing served.

use anyhow::Result;
use insta::assert_snapshot;

use crate::bad_manifest::{brief, refused, refused_route};
use crate::folder::MANIFEST;

#[tokio::test]
async fn methods_are_words_in_capitals() -> Result<()> {
    let methods = "methods = [\"get\", \"CONNECT\", \"PUT\", \"PUT\", \"GET, HEAD\"]";
    assert_snapshot!(brief(&refused_route(methods).await?), @r"
    trilby.toml:7:12: method `get` is not in capitals
      = case matters in methods: write `GET`
    trilby.toml:7:19: method `CONNECT` cannot have a route
      = `CONNECT` is for proxies, and has no path to choose a route by
    trilby.toml:7:37: method `PUT` stands twice
      = keep one
    trilby.toml:7:44: `GET, HEAD` is not a method
      = a method is a word such as `GET`; write one string for each
    ");
    assert_snapshot!(brief(&refused_route("methods = []").await?), @r"
    trilby.toml:7:11: `methods` must not be empty
      = leave it out to take every method
    ");
    assert_snapshot!(brief(&refused_route("methods = \"GET\"").await?), @"trilby.toml:7:11: `methods` must be an array of strings, found string");
    Ok(())
}

#[tokio::test]
async fn hosts_are_names_or_addresses() -> Result<()> {
    assert_snapshot!(brief(&refused_route("host = \"https://example.com\"").await?), @r"
    trilby.toml:7:8: `https://example.com` is not a host
      = write the host alone, without scheme and path
    ");
    for (host, help) in [
        ("example.com:80", "a host has no port here: write `example.com`"),
        ("api.*.com", "a `*` can only be the first label: `*.example.com`"),
        ("::1", "an IPv6 address stands in brackets: `[::1]`"),
        ("[::1]:80", "a host has no port here: write `[::1]`"),
        ("[::x]", "between brackets stands an IPv6 address"),
        ("10.0.0.256", "an IPv4 address has four numbers up to 255: `127.0.0.1`"),
        ("b\u{fc}cher.example", "other letters than a to z are written in punycode (`xn--…`)"),
    ] {
        let told = refused_route(&format!("host = \"{host}\"")).await?;
        assert!(told.starts_with(&format!("error: `{host}` is not a host\n")), "{host}: {told}");
        assert!(told.contains("--> trilby.toml:7:8\n") && told.contains(help), "{host}: {told}");
        assert_eq!(told.matches("error: ").count(), 1, "{host}: {told}");
    }
    Ok(())
}

#[tokio::test]
async fn parameters_are_whole_segments_with_names_of_their_own() -> Result<()> {
    let path = |path: &str| MANIFEST.replace("/...", path);
    assert_snapshot!(brief(&refused(&path("/:1st/x")).await?), @r"
    trilby.toml:5:8: path `/:1st/x` has `:1st`, which is not a parameter
      = a parameter is a whole segment such as `:id`: a letter or `_`, and then letters, digits, `_` and `-`
    ");
    assert_snapshot!(brief(&refused(&path("/:user-id/:USER_ID")).await?), @r"
    trilby.toml:5:8: path `/:user-id/:USER_ID` has the parameter `:USER_ID` twice
      = give each its own name; case, and `-` or `_`, do not tell names apart
    ");
    Ok(())
}

/// The names of parameters, and the case of hosts, do not tell routes apart.
#[tokio::test]
async fn a_request_has_one_route() -> Result<()> {
    let route = |lines: &str| format!("\n[[route]]\n{lines}\nmodule = \"a.wat\"\n");
    let start = "version = 1\n";
    let first = route("path = \"/x/:a\"\nmethods = [\"GET\", \"PUT\"]");
    let second = route("path = \"/x/:b\"\nmethods = [\"HEAD\"]");
    assert_snapshot!(refused(&[start, &first, &second].concat()).await?, @r#"
    error: path `/x/:b` has two routes, on lines 4 and 9
     --> trilby.toml:9:8
      |
    4 | path = "/x/:a"
      |        ------- the first one
    ...
    9 | path = "/x/:b"
      |        ^^^^^^^ the second one
      |
      = help: a method can have one of them only; whoever has GET has HEAD, too
    "#);
    let first = route("path = \"/x\"\nhost = \"example.com\"");
    let second = route("path = \"/x\"\nhost = \"Example.com\"");
    assert_snapshot!(refused(&[start, &first, &second].concat()).await?, @r#"
    error: path `/x` of host `example.com` has two routes, on lines 4 and 9
     --> trilby.toml:9:8
      |
    4 | path = "/x"
      |        ---- the first one
    ...
    9 | path = "/x"
      |        ^^^^ the second one
    "#);
    Ok(())
}

/// What a bad host or method would have been is not known, so it is not compared with others.
#[tokio::test]
async fn a_route_that_cannot_be_read_is_no_second_one() -> Result<()> {
    let other = "\n[[route]]\npath = \"/...\"\nmodule = \"a.wat\"\n";
    for line in ["host = \"example.com:80\"", "methods = [\"get\"]"] {
        let told = refused(&format!("{MANIFEST}{line}\n{other}methods = [\"PUT\"]\n")).await?;
        assert_eq!(told.matches("error: ").count(), 1, "{told}");
        assert!(told.contains("--> trilby.toml:7:"), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn only_paths_have_methods_and_hosts() -> Result<()> {
    let manifest = "version = 1\n\n[[route]]\ntopic = \"pubsub/t\"\nmethods = [\"POST\"]\n\
                    host = \"example.com\"\nmodule = \"a.wat\"\n";
    assert_snapshot!(brief(&refused(manifest).await?), @r"
    trilby.toml:5:1: `methods` means nothing without `path`
      = leave it out: Dapr alone starts the routes of a `topic`
    trilby.toml:6:1: `host` means nothing without `path`
      = leave it out: Dapr alone starts the routes of a `topic`
    ");
    Ok(())
}

#[tokio::test]
async fn files_are_a_folder_below_a_prefix() -> Result<()> {
    let manifest = "version = 1\n\n[[route]]\npath = \"/static\"\nfiles = \"public\"\n\
                    argv = \"x\"\nallowed-hosts = []\n\n\
                    [[route]]\npath = \"/x/...\"\nmodule = \"a.wat\"\nfiles = \".\"\n\n\
                    [[route]]\ntopic = \"pubsub/t\"\nfiles = \".\"\n\n\
                    [[route]]\npath = \"/y\"\n";
    assert_snapshot!(brief(&refused(manifest).await?), @r#"
    trilby.toml:4:8: the path of `files` must end in `/...`
      = write `path = "/static/..."`
    trilby.toml:5:9: there is no folder `public` to serve
      = make the folder; a relative path starts at the manifest's folder
    trilby.toml:6:1: `argv` means nothing with `files`
      = it is for modules: leave it out
    trilby.toml:7:1: `allowed-hosts` means nothing with `files`
      = it is for modules: leave it out
    trilby.toml:12:1: a route cannot have both `module` and `files`
      = write one `[[route]]` for each, with paths of their own
    trilby.toml:16:9: `files` means nothing without `path`
      = only a `path` can have files; what comes from Dapr needs a `module`
    trilby.toml:18:1: a route needs `module` or `files`
      = add a line such as `module = "app.wasm"`, or `files = "public"` to serve a folder
    "#);
    Ok(())
}

#[tokio::test]
async fn response_headers_are_what_a_response_can_have() -> Result<()> {
    let headers = "response-headers = { \"Content-Length\" = \"1\", \"X Y\" = \"\", A = \"1\", \
                   a = \"2\", B = \"x\\ny\", C = 1 }";
    assert_snapshot!(brief(&refused_route(headers).await?), @r"
    trilby.toml:7:22: header `Content-Length` cannot be set
      = it belongs to the connection, and the server sets it: leave it out
    trilby.toml:7:46: `X Y` is not the name of a header
      = a name has letters, digits and `-`, as in `Cache-Control`
    trilby.toml:7:67: header `a` stands twice
      = case does not matter in names of headers: keep one
    trilby.toml:7:80: `x\ny` is not the value of a header
      = a value is one line of ASCII characters
    trilby.toml:7:92: `C` must be a string, found integer
    ");
    Ok(())
}
