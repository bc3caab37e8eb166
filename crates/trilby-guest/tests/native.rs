//! Outside Wasm there is no host: every call of every block says so, and nothing else happens.
#![cfg(not(target_arch = "wasm32"))]

use std::time::Duration;

use trilby_guest::actor::Actor;
use trilby_guest::crypto::Encrypt;
use trilby_guest::invoke::Call;
use trilby_guest::jobs::Schedule;
use trilby_guest::pubsub::{Message, PublishBulk};
use trilby_guest::state::{Remove, Transaction, Upsert};
use trilby_guest::{
    Code, Result, binding, configuration, conversation, crypto, invoke, jobs, lock, metadata,
    pubsub, rpc, secret, state,
};

#[test]
fn every_call_is_unimplemented() {
    let cart = Actor::new("Cart", "ada");
    let calls: [(&str, Result<()>); 39] = [
        ("state get", state::get("s", "k").map(drop)),
        ("state set", state::set("s", "k", "v")),
        ("state delete", state::delete("s", "k")),
        ("state get_bulk", state::get_bulk("s", ["k"]).map(drop)),
        ("state set_bulk", state::set_bulk("s", [Upsert::new("k", "v")])),
        ("state delete_bulk", state::delete_bulk("s", [Remove::new("k")])),
        ("state transact", Transaction::new("s").delete(Remove::new("k")).commit()),
        ("state query", state::query("s", "{}").map(drop)),
        ("publish", pubsub::publish("p", "t", "x")),
        ("publish_bulk", PublishBulk::new("p", "t").message(Message::new("x")).send().map(drop)),
        ("binding", binding::invoke("b", "create", "x").map(drop)),
        ("invoke", invoke::call("a", "m", "x").map(drop)),
        ("invoke open", Call::new("a", "m").open().map(drop)),
        ("secret get", secret::get("s", "k").map(drop)),
        ("secret get_bulk", secret::get_bulk("s").map(drop)),
        ("configuration get", configuration::get("s", "k").map(drop)),
        ("configuration get_all", configuration::get_all("s").map(drop)),
        ("try_lock", lock::try_lock("s", "r", "o", Duration::from_secs(1)).map(drop)),
        ("unlock", lock::unlock("s", "r", "o")),
        ("jobs schedule", Schedule::new("j").schedule("@daily").send("")),
        ("jobs get", jobs::get("j").map(drop)),
        ("jobs delete", jobs::delete("j")),
        ("jobs list", jobs::list().map(drop)),
        ("encrypt", Encrypt::new("c", "k", "A256KW").send("x").map(drop)),
        ("encrypt open", Encrypt::new("c", "k", "A256KW").open().map(drop)),
        ("decrypt", crypto::decrypt("c", "k", "x").map(drop)),
        ("decrypt open", crypto::decrypt_open("c", "k").map(drop)),
        ("conversation", conversation::ask("c", "why").map(drop)),
        ("actor invoke", cart.invoke("m", "x").map(drop)),
        ("actor get_state", cart.get_state("k").map(drop)),
        ("actor transact_state", cart.transaction().upsert("k", "1").commit()),
        ("actor register_reminder", cart.reminder("r").due_time("1s").register("")),
        ("actor get_reminder", cart.reminder("r").get().map(drop)),
        ("actor unregister_reminder", cart.reminder("r").unregister()),
        ("actor register_timer", cart.timer("t").due_time("1s").register("")),
        ("actor unregister_timer", cart.timer("t").unregister()),
        ("metadata get", metadata::get().map(drop)),
        ("metadata set", metadata::set("k", "v")),
        ("rpc", rpc::call("ListActorReminders", "").map(drop)),
    ];
    for (name, outcome) in calls {
        assert_eq!(outcome.map_err(|error| error.code), Err(Code::Unimplemented), "{name}");
    }
}

/// An option that would break out of its line never reaches the host.
#[test]
fn a_line_break_in_an_option_is_refused_here() {
    let hostile = "x\netag: 1";
    let calls: [(&str, Result<()>); 7] = [
        ("state", state::Get::new("s", "k").metadata("m", hostile).send().map(drop)),
        ("transaction", Transaction::new("s").metadata(hostile, "x").commit()),
        ("publish", pubsub::Publish::new("p", "t", "x").content_type(hostile).send()),
        ("invoke", Call::new("a", "m").header("X", hostile).open().map(drop)),
        ("jobs", Schedule::new("j").schedule(hostile).send("")),
        ("encrypt", Encrypt::new("c", "k", hostile).send("x").map(drop)),
        ("timer", Actor::new("T", "i").timer("t").callback(hostile).register("")),
    ];
    for (name, outcome) in calls {
        assert_eq!(outcome.map_err(|error| error.code), Err(Code::InvalidArgument), "{name}");
    }
}
