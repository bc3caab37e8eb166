//! Guests that send HTTP requests (`tests/guests/fetch`): an application of such routes, and what
//! its guests say.

use anyhow::{Result, ensure};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;
use trilby_testkit::{Launch, Trilby, repository};

/// An application in a folder of its own, served.
pub(crate) struct App {
    pub(crate) trilby: Trilby,
    _folder: TempDir,
}

/// The guest over the published crate.
pub(crate) const FETCH: &str = "fetch";
/// The guest over the imports themselves.
pub(crate) const RAW: &str = "fetch-raw";

/// The file of a guest.
pub(crate) fn module(guest: &str) -> String {
    let path = format!("tests/guests/fetch/target/wasm32-wasip1/release/{guest}.wasm");
    repository().join(path).display().to_string()
}

/// A route to one of the guests; `keys` are lines of the manifest.
pub(crate) fn route(path: &str, guest: &str, keys: &str) -> String {
    let module = module(guest);
    format!("[[route]]\npath = '{path}'\nmodule = '{module}'\n{keys}\n")
}

/// Serves routes.
pub(crate) async fn serve(routes: &[String]) -> Result<App> {
    serve_with(routes, |launch| launch).await
}

/// The same, with arguments and variables.
pub(crate) async fn serve_with(routes: &[String], how: impl Fn(Launch) -> Launch) -> Result<App> {
    let manifest = format!("version = 1\nname = 'outbound'\n{}", routes.concat());
    serve_file("trilby.toml", &manifest, how).await
}

/// Serves a manifest of any form.
pub(crate) async fn serve_file(
    name: &str,
    manifest: &str,
    how: impl Fn(Launch) -> Launch,
) -> Result<App> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join(name), manifest)?;
    let trilby = how(Launch::new(folder.path(), folder.path())).start().await?;
    Ok(App { trilby, _folder: folder })
}

/// A path with a query of these names and values.
pub(crate) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
    };
    format!("{path}?{}", pairs.iter().map(pair).collect::<Vec<_>>().join("&"))
}

impl App {
    /// What the guest at a path says about a URL.
    pub(crate) async fn says(&self, path: &str, url: &str) -> Result<String> {
        self.answers(&query(path, &[("url", url)]), "").await
    }

    /// The first line of that, for [`RAW`]: `status: CODE`, or `req: CODE` for a refusal.
    pub(crate) async fn gets(&self, path: &str, url: &str) -> Result<String> {
        let text = self.says(path, url).await?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// The answer of a guest to a request.
    pub(crate) async fn answers(&self, path: &str, body: &'static str) -> Result<String> {
        let answer = self.trilby.http.send(Method::POST, path, &[], body).await?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.text());
        Ok(answer.text())
    }
}
