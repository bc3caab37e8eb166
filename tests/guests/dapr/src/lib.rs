//! A probe for every function of Dapr's building blocks: a guest for each block, which calls what a
//! test asks for and tells what came of it. Nothing is kept from one request to the next.
//!
//! `POST /BLOCK/OPERATION?PARAMETERS`, or `/OPERATION` where the route's path has the block's name.
//! A parameter that the operation does not know is refused with 400, so that a test finds its
//! typos.
//!
//! # The answer
//!
//! | status | when | what |
//! |---|---|---|
//! | 200 | the call succeeded | headers of the host's answer as `X-Answer-NAME`, its body as the body; records as JSON lines |
//! | 418 | the host refused | body `CODE reason`, a line break, and the message; reason `-` if there is none |
//! | 400 | the probe was asked wrongly | why |
//!
//! What HTTP does not allow in a header's name or value is written as `%XX` there.
//!
//! # Operations
//!
//! Parameters in brackets are options, and `metadata.NAME` is one wherever an `M` stands. "Lines"
//! are JSON lines with the fields of the ABI's records.
//!
//! | path | parameters | body | answer |
//! |---|---|---|---|
//! | `/state/get` | store, key, \[consistency\], M | | value; `etag`, `metadata.*` |
//! | `/state/set` | store, key, \[consistency, concurrency, etag, content-type, ttl (s)\], M | value | |
//! | `/state/delete` | store, key, \[consistency, concurrency, etag\], M | | |
//! | `/state/get_bulk` | store, \[parallelism\], M | lines: key | lines: key, value, etag, error, metadata |
//! | `/state/set_bulk` | store | lines: all fields of the record | |
//! | `/state/delete_bulk` | store | lines: all fields of the record | |
//! | `/state/transact` | store, M | lines: operation and the fields of set_bulk | |
//! | `/state/query` | store, M | the query | lines as of get_bulk; `token` |
//! | `/pubsub/publish` | pubsub, topic, \[content-type, ttl (s), raw\], M | data | |
//! | `/pubsub/publish_bulk` | pubsub, topic, \[content-type, ttl (s), raw\], M | lines: all fields of the record | lines: id, error |
//! | `/binding/invoke` | binding, operation, M | data | data; `metadata.*` |
//! | `/invoke/call` | app, method, \[verb, query, content-type, header.NAME\] | body | body; `status`, `header.NAME` |
//! | `/invoke/open` | the same, \[chunk (bytes), interleave\] | body, written in chunks | the same |
//! | `/secret/get` | store, key, M | | value; `value.NAME` |
//! | `/secret/get_bulk` | store | | lines: key, values |
//! | `/configuration/get` | store, \[keys (with `,` between)\], M | | lines: key, value, version, metadata |
//! | `/lock/try_lock` | store, resource, owner, expiry (s) | | `held` or `taken`; it stays taken |
//! | `/lock/guard` | store, resource, owner, expiry (s) | | the same; given back before the answer |
//! | `/lock/unlock` | store, resource, owner | | |
//! | `/jobs/schedule` | name, \[schedule, due-time, repeats, ttl, overwrite, failure-policy, failure-interval (ms), failure-retries, content-type\] | data | |
//! | `/jobs/get` | name | | data; the options as headers |
//! | `/jobs/delete` | name | | |
//! | `/jobs/list` | | | lines: name, data, and the options |
//! | `/crypto/encrypt` | component, key, algorithm, \[cipher, decryption-key, omit-decryption-key\] | data | envelope |
//! | `/crypto/encrypt_open` | the same, \[chunk (bytes)\] | data, written in chunks | envelope |
//! | `/crypto/decrypt` | component, key | envelope | data |
//! | `/crypto/decrypt_open` | component, key, \[chunk (bytes)\] | envelope, written in chunks | data |
//! | `/conversation/converse` | component | the request | the answer |
//! | `/conversation/ask` | component | a question | a text |
//! | `/actor/invoke` | type, id, method, M | data | data |
//! | `/actor/get_state` | type, id, key | | value |
//! | `/actor/transact_state` | type, id | lines: operation, key, value, ttl (s) | |
//! | `/actor/register_reminder` | type, id, name, \[due-time, period, ttl, overwrite\] | data | |
//! | `/actor/get_reminder` | type, id, name | | data; `due-time`, `period`, `ttl` |
//! | `/actor/unregister_reminder` | type, id, name | | |
//! | `/actor/register_timer` | type, id, name, \[due-time, period, ttl, callback\] | data | |
//! | `/actor/unregister_timer` | type, id, name | | |
//! | `/metadata/get` | | | the JSON |
//! | `/metadata/set` | key, value | | |
//! | `/call/call` | method, M | the request | the answer |
//!
//! # Odd arguments
//!
//! `/BLOCK/raw/FUNCTION` calls the import as it is, with whatever bytes the test gives, `%XX`
//! decoded. Parameters: `a`, `b`, `c` (the function's targets in order), `options` (its lines, with
//! `%0A` between), and the body. `a-len`, `b-len`, `c-len`, `options-len` and `len` (of the body)
//! fill up with `x` to so many bytes. The answer is as above, with the header `X-Result: 0` or
//! `X-Result: handle`.
//!
//! `/BLOCK/steps/FUNCTION` does the same, then takes `steps` on the handle, which are told apart by
//! `;`, and answers with a line for each: `STEP = RESULT`, and ` TEXT` where it filled a buffer.
//!
//! | step | what it does |
//! |---|---|
//! | `size`, `end`, `close` | calls it |
//! | `read CAP`, `headers CAP`, `error CAP` | calls it with a buffer of so many bytes |
//! | `header CAP NAME` | the same |
//! | `write TEXT`, `fill COUNT` | writes the text, or so many bytes of `x` |
//! | `again` | calls the function again, and goes on with its handle |
//! | `use HANDLE` | goes on with this number as the handle |
//! | `times COUNT` | calls the function again so often, keeps all handles open, and tells how many it got; the result is that of the last |

mod answer;
mod fields;
mod query;
mod raw;

pub use answer::{Answer, Failure, Outcome, answer};
pub use fields::{bytes_field, either, record};
pub use query::Query;
pub use raw::Arguments;

use trilby_guest::cgi::Request;

/// A block's operations by name; `None` for one that it does not have.
pub type Operations = fn(&str, &Query) -> Option<Outcome>;

/// A block's imports by name; `None` for one that it does not have.
pub type Imports = fn(&str, &Arguments) -> Option<i32>;

/// Answers the request that the host gives to this process, for the block of this name.
pub fn run(block: &str, operations: Operations, imports: Imports) -> std::io::Result<()> {
    let query = Query::new(Request::read()?);
    let path = query.path().trim_start_matches('/').to_owned();
    let path = path.strip_prefix(block).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&path);
    let outcome = match path.split_once('/') {
        Some(("raw", function)) => raw::call(function, &query, imports),
        Some(("steps", function)) => raw::steps(function, &query, imports),
        Some(_) => None,
        None => operations(path, &query),
    };
    let outcome = outcome.unwrap_or_else(|| Err(Failure::asked(format!("no operation {path:?}"))));
    let unknown = query.unused();
    answer(match outcome {
        Ok(_) | Err(Failure::Call(_)) if !unknown.is_empty() => {
            Err(Failure::asked(format!("parameters {unknown:?} are not known here")))
        }
        outcome => outcome,
    })
    .send()
}
