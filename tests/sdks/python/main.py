"""Every building block through Dapr's SDK for Python, against whatever serves Dapr's API.

Ports and token come from the SDK's own variables, the app to call from APP_ID. One line for each
check; the first surprise ends the program with a traceback.
"""

import os
import queue
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._crypto import DecryptOptions, EncryptOptions
from dapr.clients.grpc._jobs import Job
from dapr.clients.grpc._request import TransactionalStateOperation, TransactionOperationType
from dapr.clients.grpc._response import TopicEventResponse, UnlockResponseStatus
from dapr.clients.grpc._state import Concurrency, StateItem, StateOptions
from dapr.clients.grpc.conversation import ConversationInputAlpha2, create_user_message
from google.protobuf.any_pb2 import Any
from google.protobuf.wrappers_pb2 import StringValue

APP = os.environ["APP_ID"]
TARGET = os.environ["TARGET_APP"]
SECONDS = 20


def main():
    checks = [
        state, state_conflicts, state_bulk, state_transaction, publish_and_subscribe,
        subscribe_again, binding, secret, configuration, invoke, lock, jobs, crypto, conversation,
        metadata,
    ]
    with DaprClient() as client:
        for check in checks:
            check(client)
            # In one piece: the SDK's threads print as well.
            sys.stdout.write(f"ok {check.__name__}\n")
            sys.stdout.flush()


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} where {expected!r} was expected")


def fails(call, code, reason=None):
    try:
        call()
    except DaprGrpcError as error:
        same((error.code(), error.error_code() if reason else None), (code, reason))
    except grpc.RpcError as error:
        same((error.code(), None), (code, reason))
    else:
        raise AssertionError(f"no error where {code} was expected")


def state(client):
    client.save_state("statestore", "order", '{"id":1}')
    order = client.get_state("statestore", "order")
    same(order.json(), {"id": 1})
    client.save_state("statestore", "order", b"\x00\xff", etag=order.etag)
    same(client.get_state("statestore", "order").data, b"\x00\xff")
    client.delete_state("statestore", "order")
    gone = client.get_state("statestore", "order")
    same((gone.data, gone.etag), (b"", ""))


def state_conflicts(client):
    client.save_state("statestore", "once", "1")
    etag = client.get_state("statestore", "once").etag
    client.save_state("statestore", "once", "2", etag=etag)
    fails(lambda: client.save_state("statestore", "once", "3", etag=etag), grpc.StatusCode.ABORTED)
    fails(lambda: client.delete_state("statestore", "once", etag=etag), grpc.StatusCode.ABORTED)
    first = StateOptions(concurrency=Concurrency.first_write)
    fails(
        lambda: client.save_state("statestore", "once", "4", options=first), grpc.StatusCode.ABORTED
    )
    same(client.get_state("statestore", "once").text(), "2")
    unknown = grpc.StatusCode.INVALID_ARGUMENT
    fails(lambda: client.get_state("nowhere", "k"), unknown, "DAPR_STATE_NOT_FOUND")


def state_bulk(client):
    client.save_bulk_state("statestore", [StateItem(key=k, value=k.upper()) for k in "abc"])
    found = client.get_bulk_state("statestore", keys=["a", "c", "missing"]).items
    same(sorted((i.key, i.data) for i in found), [("a", b"A"), ("c", b"C"), ("missing", b"")])


def state_transaction(client):
    delete = TransactionOperationType.delete
    operations = [
        TransactionalStateOperation(key="a", data="new"),
        TransactionalStateOperation(key="b", operation_type=delete),
    ]
    client.execute_state_transaction("statestore", operations=operations)
    same([client.get_state("statestore", key).data for key in "abc"], [b"new", b"", b"C"])
    operations = [
        TransactionalStateOperation(key="c", data="lost"),
        TransactionalStateOperation(key="a", data="lost", etag="00000000-stale"),
    ]
    fails(
        lambda: client.execute_state_transaction("statestore", operations=operations),
        grpc.StatusCode.INTERNAL,
    )
    same([client.get_state("statestore", key).data for key in "abc"], [b"new", b"", b"C"])


def publish_and_subscribe(client):
    events = queue.Queue()

    def on_order(event):
        events.put(event)
        return TopicEventResponse("success")

    close = client.subscribe_with_handler("pubsub", "orders", on_order)
    client.publish_event("pubsub", "orders", '{"id":7}', data_content_type="application/json")
    event = events.get(timeout=SECONDS)
    same((event.data(), event.data_content_type()), ({"id": 7}, "application/json"))
    same((event.topic(), event.pubsub_name(), event.source()), ("orders", "pubsub", APP))
    same((event.type(), event.spec_version()), ("com.dapr.event.sent", "1.0"))
    client.publish_event("pubsub", "orders", "plain", data_content_type="text/plain")
    same(events.get(timeout=SECONDS).data(), "plain")
    close()
    unknown = grpc.StatusCode.INVALID_ARGUMENT
    fails(lambda: client.publish_event("nowhere", "t", "x"), unknown, "DAPR_PUBSUB_NOT_FOUND")


def subscribe_again(client):
    """An event that is wanted again comes again; a batch comes whole."""
    pool = ThreadPoolExecutor(1)
    subscription = client.subscribe("pubsub", "batches")
    # pubsub.in-memory of daprd keeps its publisher until its events are done.
    publish = lambda: client.publish_events(
        "pubsub", "batches", ["one", "two"], data_content_type="text/plain"
    )
    sending = pool.submit(publish)
    seen, tries = set(), 0
    while seen != {"one", "two"} or tries == 0:
        event = subscription.next_message()
        if event.data() == "one" and tries == 0:
            tries += 1
            subscription.respond_retry(event)
            continue
        subscription.respond_success(event)
        seen.add(event.data())
    same(sending.result(timeout=SECONDS).failed_entries, [])
    subscription.close()


def binding(client):
    client.invoke_binding("files", "create", b"in a file", {"fileName": "note.txt"})
    read = client.invoke_binding("files", "get", b"", {"fileName": "note.txt"})
    same(read.data, b"in a file")
    client.invoke_binding("files", "delete", b"", {"fileName": "note.txt"})
    missing = lambda: client.invoke_binding("files", "get", b"", {"fileName": "note.txt"})
    fails(missing, grpc.StatusCode.INTERNAL)


def secret(client):
    same(client.get_secret("secrets", "known").secret, {"known": "s3cr3t"})
    every = client.get_bulk_secret("secrets").secrets
    same(every, {"known": {"known": "s3cr3t"}, "other": {"other": "hidden"}})
    fails(lambda: client.get_secret("secrets", "absent"), grpc.StatusCode.INTERNAL)


def configuration(client):
    items = client.get_configuration("configuration", ["color", "missing"]).items
    same({k: (v.value, v.version) for k, v in items.items()}, {"color": ("red", "1")})
    changes = queue.Queue()
    watch = client.subscribe_configuration(
        "configuration", ["color"], lambda _, change: changes.put(change.items["color"].value)
    )
    if watch is None:
        raise AssertionError("no identity of the subscription")
    # Whoever runs this sets the color to blue now.
    print("waiting for blue", flush=True)
    while changes.get(timeout=SECONDS) != "blue":
        pass
    same(client.unsubscribe_configuration("configuration", watch), True)


def invoke(client):
    answer = client.invoke_method(
        TARGET, "echo", b"hello", content_type="text/plain", http_verb="POST"
    )
    same((answer.text(), answer.status_code), ("hello", 200))


def lock(client):
    same(client.try_lock("lock", "till", "anna", 60).success, True)
    same(client.try_lock("lock", "till", "bert", 60).success, False)
    same(client.unlock("lock", "till", "bert").status, UnlockResponseStatus.lock_belongs_to_others)
    same(client.unlock("lock", "till", "anna").status, UnlockResponseStatus.success)
    same(client.unlock("lock", "till", "anna").status, UnlockResponseStatus.lock_does_not_exist)


def jobs(client):
    data = Any()
    data.Pack(StringValue(value="work"))
    client.schedule_job(Job(name="later", schedule="@every 1h", repeats=3, data=data))
    job = client.get_job("later")
    same((job.name, job.schedule, job.repeats), ("later", "@every 1h", 3))
    found = StringValue()
    same((job.data.Unpack(found), found.value), (True, "work"))
    client.delete_job("later")
    fails(lambda: client.get_job("later"), grpc.StatusCode.INTERNAL)


def crypto(client):
    plain = b"plain text " * 20_000
    options = EncryptOptions(component_name="crypto", key_name="aes", key_wrap_algorithm="A256KW")
    sealed = client.encrypt(plain, options).read()
    same(sealed.startswith(b"dapr.io/enc/v1\n"), True)
    options = DecryptOptions(component_name="crypto")
    same(client.decrypt(sealed, options).read(), plain)


def conversation(client):
    inputs = [ConversationInputAlpha2(messages=[create_user_message("are you there?")])]
    answer = client.converse_alpha2("conversation", inputs)
    same(answer.outputs[0].choices[0].message.content, "are you there?")


def metadata(client):
    client.set_metadata("shelf", "3")
    told = client.get_metadata()
    same((told.application_id, told.extended_metadata["shelf"]), (APP, "3"))
    names = {component.name for component in told.registered_components}
    same({"statestore", "pubsub", "files", "secrets"} <= names, True)


main()
