//! Variables of the command line, `--env` and `--env-file`, and what they stand over.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use http::Method;
use trilby_testkit::{Launch, Trilby};

use crate::folder::Folder;
use crate::wat;

const MANIFEST: &str = r#"
version = 1
name = "app"
[env]
APP = "app"
ROUTE = "app"
FILE = "app"
FLAG = "app"
[[route]]
path = "/a"
module = "show.wat"
env = { ROUTE = "route", FILE = "route", FLAG = "route" }
[[route]]
path = "/b"
module = "show.wat"
"#;

/// What the guest at a path sees.
async fn seen(trilby: &Trilby, path: &str) -> Result<BTreeMap<String, String>> {
    let text = trilby.http.get(path).await?.text();
    let (env, _) = text.split_once("\0\n").context("no environment")?;
    let pair = |line: &str| line.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
    env.split('\0').map(|line| pair(line).context("no `=`")).collect()
}

/// Serves with these environment files beside the manifest, which is also the working directory.
async fn serve(
    (name, manifest): (&str, &str),
    files: &[(&str, &str)],
    args: &[&str],
) -> Result<(Trilby, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
    }
    let launch = |launch: Launch| launch.args(args);
    let trilby = wat::write(&folder, name, manifest, launch)?.start().await?;
    Ok((trilby, folder))
}

#[track_caller]
fn has(seen: &BTreeMap<String, String>, expected: &[(&str, Option<&str>)]) {
    for (name, value) in expected {
        assert_eq!(seen.get(*name).map(String::as_str), *value, "{name}: {seen:#?}");
    }
}

#[tokio::test]
async fn the_command_line_stands_over_files_and_these_over_the_manifest() -> Result<()> {
    let files =
        [("one.env", "FILE=one\nFLAG=one\nTWICE=one\nONLY=one\n"), ("two.env", "TWICE=two\n")];
    let args = [
        "--env",
        "FLAG=flag",
        "--env-file",
        "one.env",
        "--env-file",
        "two.env",
        "-e",
        "AGAIN=1",
        "-e",
        "AGAIN=2",
        "-e",
        "EMPTY=",
        "-e",
        "EQUALS=a=b",
    ];
    let (trilby, _folder) = serve(("trilby.toml", MANIFEST), &files, &args).await?;
    let of_command_line = [
        ("APP", Some("app")),
        ("FILE", Some("one")),
        ("FLAG", Some("flag")),
        ("TWICE", Some("two")),
        ("ONLY", Some("one")),
        ("AGAIN", Some("2")),
        ("EMPTY", Some("")),
        ("EQUALS", Some("a=b")),
    ];
    for (path, route) in [("/a", "route"), ("/b", "app")] {
        let seen = seen(&trilby, path).await?;
        has(&seen, &of_command_line);
        has(&seen, &[("ROUTE", Some(route))]);
    }
    Ok(())
}

#[tokio::test]
async fn files_are_written_as_for_a_shell() -> Result<()> {
    let text = "# a comment\n\nexport EXPORTED=yes\nPLAIN = a b # a comment\nHASH=a#b\n\
                SINGLE='$HOME \\n # \"'\nDOUBLE=\"a\\tb\\\"c\" # a comment\nNOTHING=\n";
    let (trilby, _folder) =
        serve(("trilby.toml", MANIFEST), &[("a.env", text)], &["--env-file", "a.env"]).await?;
    has(
        &seen(&trilby, "/a").await?,
        &[
            ("EXPORTED", Some("yes")),
            ("PLAIN", Some("a b")),
            ("HASH", Some("a#b")),
            ("SINGLE", Some("$HOME \\n # \"")),
            ("DOUBLE", Some("a\tb\"c")),
            ("NOTHING", Some("")),
            // What the process has is not the guests'.
            ("HOME", None),
            ("PATH", None),
        ],
    );
    Ok(())
}

#[tokio::test]
async fn a_flag_loses_one_pair_of_quotes() -> Result<()> {
    let args = [
        "-e",
        "DOUBLE=\"a b\"",
        "-e",
        "SINGLE='a'",
        "-e",
        "TWO=''a''",
        "-e",
        "OPEN=\"a",
        "-e",
        "IN=a\"b",
    ];
    let (trilby, _folder) = serve(("trilby.toml", MANIFEST), &[], &args).await?;
    has(
        &seen(&trilby, "/a").await?,
        &[
            ("DOUBLE", Some("a b")),
            ("SINGLE", Some("a")),
            ("TWO", Some("'a'")),
            ("OPEN", Some("\"a")),
            ("IN", Some("a\"b")),
        ],
    );
    Ok(())
}

/// What the request says, its headers too, is not hidden by a variable of the same name.
#[tokio::test]
async fn the_request_stands_over_everything() -> Result<()> {
    let files = [("a.env", "PATH_INFO=/fake\nSERVER_SOFTWARE=fake\nHTTP_X_ROLE=admin\n")];
    let args = [
        "--env-file",
        "a.env",
        "-e",
        "REQUEST_METHOD=FAKE",
        "-e",
        "HTTP_HOST=fake",
        "-e",
        "REMOTE_ADDR=fake",
        "-e",
        "SCRIPT_NAME=fake",
        "-e",
        "REAL=1",
    ];
    let (trilby, _folder) = serve(("trilby.toml", MANIFEST), &files, &args).await?;
    let seen = seen(&trilby, "/a").await?;
    has(
        &seen,
        &[
            ("REQUEST_METHOD", Some("GET")),
            ("SCRIPT_NAME", Some("/a")),
            ("REMOTE_ADDR", Some("127.0.0.1")),
            ("HTTP_HOST", Some(&trilby.address)),
            ("REAL", Some("1")),
        ],
    );
    assert_eq!(seen.values().filter(|value| value.contains("fake")).count(), 0, "{seen:#?}");
    // Without such a header there is nothing to stand over it.
    has(&seen, &[("HTTP_X_ROLE", Some("admin"))]);
    let answer = trilby.http.send(Method::GET, "/a", &[("x-role", "user")], "").await?;
    assert!(answer.text().contains("\0HTTP_X_ROLE=user\0"), "{}", answer.text());
    assert!(!answer.text().contains("admin"), "{}", answer.text());
    Ok(())
}

/// WAGI has no other way to give variables.
#[tokio::test]
async fn modules_of_wagi_get_them_too() -> Result<()> {
    let manifest = "[[module]]\nroute = \"/...\"\nmodule = \"show.wat\"\n";
    let args = ["--env-file", "a.env", "-e", "FLAG=flag"];
    let (trilby, _folder) =
        serve(("modules.toml", manifest), &[("a.env", "FILE=file\nFLAG=file\n")], &args).await?;
    has(&seen(&trilby, "/x").await?, &[("FILE", Some("file")), ("FLAG", Some("flag"))]);
    Ok(())
}

/// Values may be secrets, so they are not repeated.
#[tokio::test]
async fn mistakes_are_told_with_their_place() -> Result<()> {
    let folder = Folder::with_app()?.with("bad.env", "A=1\n\nB secret\nC=2\n")?;
    let cases: [(&[&str], &str); 5] = [
        (
            &["--env-file", "bad.env"],
            "error: bad.env:3: there is no `=`; write `KEY=VALUE`, or `#` before a comment\n",
        ),
        (
            &["--env-file", "none.env"],
            "error: cannot read none.env: No such file or directory (os error 2)\n",
        ),
        (&["-e", "secret"], "error: --env: there is no `=`; write `KEY=VALUE`\n"),
        (&["-e", "=secret"], "error: --env: there is no key before the `=`; write `KEY=VALUE`\n"),
        (&["-e", ""], "error: --env: there is no `=`; write `KEY=VALUE`\n"),
    ];
    for (args, expected) in cases {
        assert_eq!(folder.refuses(folder.launch().args(args)).await?, expected, "{args:?}");
    }
    Ok(())
}
