//! What the benchmark of Dapr's building blocks runs for each request: one state get, one set.

use trilby_guest::cgi::Response;
use trilby_guest::state;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let before = state::get("statestore", "bench")?;
    state::set("statestore", "bench", b"sixteen bytes it")?;
    Response::text(200, format!("{}\n", before.data.len())).send()?;
    Ok(())
}
