// Every building block through Dapr's SDK for JavaScript, against whatever serves Dapr's API.
//
// Ports and token come from the SDK's own variables, the app to call from TARGET_APP. The program
// is an app itself, OWN_APP at APP_PORT: events come over HTTP. One line for each check; the first
// surprise ends the program.
"use strict";

const assert = require("node:assert/strict");
const { once, EventEmitter } = require("node:events");
const { setTimeout: sleep } = require("node:timers/promises");
const {
  CommunicationProtocolEnum,
  DaprClient,
  DaprServer,
  HttpMethod,
  StateConcurrencyEnum,
} = require("@dapr/dapr");

const { APP_ID, TARGET_APP, OWN_APP, APP_PORT } = process.env;
const logger = { level: "error" };

const server = new DaprServer({
  serverHost: "127.0.0.1",
  serverPort: APP_PORT,
  logger,
  clientOptions: { logger },
});
const dapr = server.client;
const grpc = new DaprClient({ communicationProtocol: CommunicationProtocolEnum.GRPC, logger });

// Events in the order in which they came, by topic.
const events = new EventEmitter();
const came = {};
let knocked = false;

async function main() {
  const checks = [
    state, state_conflicts, state_bulk, state_transaction, publish_and_subscribe, binding, secret,
    configuration, invoke, invoked, lock, crypto, metadata, over_grpc,
  ];
  await server.pubsub.subscribe("pubsub", "orders", async (data) => {
    if (data === "knock") {
      knocked = true;
      return;
    }
    (came.orders ??= []).push(data);
    events.emit("orders");
  });
  await server.invoker.listen(
    "greet",
    async ({ body }) => ({ hello: JSON.parse(body).name }),
    { method: HttpMethod.POST },
  );
  await server.start();
  await subscribed();
  for (const check of checks) {
    await check();
    console.log("ok", check.name);
  }
}

// Dapr's API is there before the subscriptions are; what arrives shows that they are.
async function subscribed() {
  for (let tries = 0; !knocked; tries++) {
    assert.ok(tries < 200, "no event arrives");
    await dapr.pubsub.publish("pubsub", "orders", "knock");
    await sleep(100);
  }
}

async function next(topic) {
  const signal = AbortSignal.timeout(20_000);
  while (!came[topic]?.length) {
    await once(events, topic, { signal });
  }
  return came[topic].shift();
}

function failsWith(code) {
  return (error) =>
    error.message.includes(code) || assert.fail(`${error} where ${code} was expected`);
}

async function state() {
  await dapr.state.save("statestore", [{ key: "order", value: { id: 1 } }]);
  assert.deepEqual(await dapr.state.get("statestore", "order"), { id: 1 });
  const [{ etag }] = await dapr.state.getBulk("statestore", ["order"]);
  await dapr.state.save("statestore", [{ key: "order", value: "text", etag }]);
  assert.equal(await dapr.state.get("statestore", "order"), "text");
  await dapr.state.delete("statestore", "order");
  assert.equal(await dapr.state.get("statestore", "order"), "");
}

async function state_conflicts() {
  const first = { concurrency: StateConcurrencyEnum.CONCURRENCY_FIRST_WRITE };
  const save = (value, more) => dapr.state.save("statestore", [{ key: "once", value, ...more }]);
  await save("1");
  const [{ etag }] = await dapr.state.getBulk("statestore", ["once"]);
  assert.deepEqual(await save("2", { etag }), {});
  failsWith("ERR_STATE_SAVE")((await save("3", { etag })).error);
  failsWith("ERR_STATE_SAVE")((await save("4", { options: first })).error);
  failsWith("ERR_STATE_DELETE")((await dapr.state.delete("statestore", "once", { etag })).error);
  assert.equal(await dapr.state.get("statestore", "once"), "2");
  await assert.rejects(dapr.state.get("nowhere", "k"), failsWith("ERR_STATE_STORE_NOT_FOUND"));
}

async function state_bulk() {
  const items = ["a", "b", "c"].map((key) => ({ key, value: key.toUpperCase() }));
  await dapr.state.save("statestore", items);
  const found = await dapr.state.getBulk("statestore", ["a", "c", "missing"]);
  assert.deepEqual(
    Object.fromEntries(found.map(({ key, data }) => [key, data])),
    { a: "A", c: "C", missing: undefined },
  );
}

async function state_transaction() {
  await dapr.state.transaction("statestore", [
    { operation: "upsert", request: { key: "a", value: "new" } },
    { operation: "delete", request: { key: "b" } },
  ]);
  const bad = dapr.state.transaction("statestore", [
    { operation: "upsert", request: { key: "b", value: "lost" } },
    { operation: "upsert", request: { key: "a", value: "lost", etag: "stale" } },
  ]);
  await assert.rejects(bad, failsWith("ERR_STATE_TRANSACTION"));
  assert.equal(await dapr.state.get("statestore", "a"), "new");
  assert.equal(await dapr.state.get("statestore", "b"), "");
}

async function publish_and_subscribe() {
  assert.deepEqual(await dapr.pubsub.publish("pubsub", "orders", { id: 7 }), {});
  assert.deepEqual(await next("orders"), { id: 7 });
  await dapr.pubsub.publish("pubsub", "orders", "plain");
  assert.equal(await next("orders"), "plain");
  const { failedMessages } = await dapr.pubsub.publishBulk("pubsub", "orders", ["one", "two"]);
  assert.deepEqual(failedMessages, []);
  assert.deepEqual([await next("orders"), await next("orders")].sort(), ["one", "two"]);
  failsWith("ERR_PUBSUB_NOT_FOUND")((await dapr.pubsub.publish("nowhere", "t", "x")).error);
}

async function binding() {
  const metadata = { fileName: "note.txt" };
  await dapr.binding.send("files", "create", "in a file", metadata);
  assert.equal(await dapr.binding.send("files", "get", undefined, metadata), "in a file");
  await dapr.binding.send("files", "delete", undefined, metadata);
  const missing = dapr.binding.send("files", "get", undefined, metadata);
  await assert.rejects(missing, failsWith("ERR_INVOKE_OUTPUT_BINDING"));
}

async function secret() {
  assert.deepEqual(await dapr.secret.get("secrets", "known"), { known: "s3cr3t" });
  const every = { known: { known: "s3cr3t" }, other: { other: "hidden" } };
  assert.deepEqual(await dapr.secret.getBulk("secrets"), every);
  await assert.rejects(dapr.secret.get("secrets", "absent"), failsWith("ERR_SECRET_GET"));
}

// Configuration and encryption are over gRPC alone in this SDK.
async function configuration() {
  const { items } = await grpc.configuration.get("configuration", ["color", "missing"]);
  assert.deepEqual(Object.keys(items), ["color"]);
  assert.deepEqual([items.color.value, items.color.version], ["red", "1"]);
  let watch;
  const blue = new Promise((resolve) => {
    watch = grpc.configuration.subscribeWithKeys("configuration", ["color"], async (change) => {
      if (change.items.color.value === "blue") resolve();
    });
  });
  const stream = await watch;
  // Whoever runs this sets the color to blue now.
  console.log("waiting for blue");
  await Promise.race([blue, sleep(20_000).then(() => assert.fail("nothing came"))]);
  stream.stop();
}

async function invoke() {
  const answer = await dapr.invoker.invoke(TARGET_APP, "echo", HttpMethod.POST, { hello: 1 });
  assert.deepEqual(answer, { hello: 1 });
}

// The program is an app that others call: here itself.
async function invoked() {
  const answer = await dapr.invoker.invoke(OWN_APP, "greet", HttpMethod.POST, { name: "Ada" });
  assert.deepEqual(answer, { hello: "Ada" });
}

async function lock() {
  const unlock = async (owner) => (await dapr.lock.unlock("lock", "till", owner)).status;
  assert.equal((await dapr.lock.lock("lock", "till", "anna", 60)).success, true);
  assert.equal((await dapr.lock.lock("lock", "till", "bert", 60)).success, false);
  // 0: done, 1: there is no such lock, 2: another holds it.
  assert.deepEqual([await unlock("bert"), await unlock("anna"), await unlock("anna")], [2, 0, 1]);
}

async function crypto() {
  const plain = "plain text ".repeat(20_000);
  const key = { componentName: "crypto", keyName: "aes", keyWrapAlgorithm: "A256KW" };
  const sealed = await grpc.crypto.encrypt(plain, key);
  assert.equal(sealed.subarray(0, 15).toString(), "dapr.io/enc/v1\n");
  const opened = await grpc.crypto.decrypt(sealed, { componentName: "crypto" });
  assert.equal(opened.toString(), plain);
}

async function metadata() {
  await dapr.metadata.set("shelf", "3");
  const told = await dapr.metadata.get();
  assert.deepEqual([told.id, told.extended.shelf], [APP_ID, "3"]);
  const names = told.components.map(({ name }) => name);
  for (const name of ["statestore", "pubsub", "files", "secrets"]) {
    assert.ok(names.includes(name), `${name} is not among ${names}`);
  }
}

// The same SDK over its other protocol.
async function over_grpc() {
  await grpc.state.save("statestore", [{ key: "grpc", value: { id: 2 } }]);
  assert.deepEqual(await grpc.state.get("statestore", "grpc"), { id: 2 });
  await grpc.pubsub.publish("pubsub", "orders", { id: 8 });
  assert.deepEqual(await next("orders"), { id: 8 });
  assert.deepEqual(await grpc.secret.get("secrets", "known"), { known: "s3cr3t" });
  const answer = await grpc.invoker.invoke(TARGET_APP, "echo", HttpMethod.POST, { hello: 2 });
  assert.deepEqual(answer, { hello: 2 });
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
