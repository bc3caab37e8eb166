// A counter: GET /count tells the number, POST /count adds one to it. No SDK and no runtime library
// but AssemblyScript's own: the guest ABI (crates/trilby-host/ABI.md) as external functions.

@external("dapr_state_v1", "get")
declare function stateGet(
  store: usize, storeLength: i32, key: usize, keyLength: i32, options: usize, optionsLength: i32,
): i32;

@external("dapr_state_v1", "set")
declare function stateSet(
  store: usize, storeLength: i32, key: usize, keyLength: i32, options: usize, optionsLength: i32,
  value: usize, valueLength: i32,
): i32;

@external("dapr_v1", "header")
declare function daprHeader(
  handle: i32, name: usize, nameLength: i32, buf: usize, capacity: i32,
): i32;

@external("dapr_v1", "read")
declare function daprRead(handle: i32, buf: usize, capacity: i32): i32;

@external("dapr_v1", "close")
declare function daprClose(handle: i32): i32;

@external("wasi_snapshot_preview1", "fd_write")
declare function fdWrite(fd: i32, iovs: usize, count: i32, written: usize): i32;

@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environSizesGet(count: usize, size: usize): i32;

@external("wasi_snapshot_preview1", "environ_get")
declare function environGet(pointers: usize, buf: usize): i32;

const CONFLICT = -10;

// How often an increment is tried before the guest gives up. Of several that meet, one gets on in
// each round, and an unlucky one may wait for many rounds.
const ATTEMPTS_MAX = 100;

// A string as the host takes it: UTF-8, without a NUL.
class Text {
  bytes: ArrayBuffer;

  constructor(text: string) {
    this.bytes = String.UTF8.encode(text);
  }

  get at(): usize {
    return changetype<usize>(this.bytes);
  }

  get length(): i32 {
    return this.bytes.byteLength;
  }
}

const store = new Text("statestore");
const key = new Text("counter");

// What was read, or the code of the error.
class Seen {
  constructor(public code: i32, public count: u64 = 0, public etag: string = "") {}
}

function read(): Seen {
  const none = new Text("");
  const handle = stateGet(store.at, store.length, key.at, key.length, none.at, 0);
  if (handle < 0) return new Seen(handle);
  const buf = new ArrayBuffer(128);
  const at = changetype<usize>(buf);
  const seen = new Seen(0);
  const length = daprRead(handle, at, 20);
  if (length > 0) {
    seen.count = U64.parseInt(String.UTF8.decodeUnsafe(at, length));
    const name = new Text("etag");
    const etagLength = daprHeader(handle, name.at, name.length, at, buf.byteLength);
    if (etagLength >= 0 && etagLength <= buf.byteLength) {
      seen.etag = String.UTF8.decodeUnsafe(at, etagLength);
    } else {
      seen.code = etagLength < 0 ? etagLength : -13;
    }
  } else {
    seen.code = length;
  }
  daprClose(handle);
  return seen;
}

// Adds one under the etag it has seen, and again from the start when another request was faster.
function increment(): Seen {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const seen = read();
    if (seen.code < 0) return seen;
    seen.count++;
    let block = "concurrency: first-write\n";
    if (seen.etag.length > 0) block += "etag: " + seen.etag + "\n";
    const options = new Text(block);
    const value = new Text(seen.count.toString());
    seen.code = stateSet(
      store.at, store.length, key.at, key.length, options.at, options.length,
      value.at, value.length,
    );
    if (seen.code != CONFLICT) return seen;
  }
  return new Seen(CONFLICT);
}

// A variable of the environment; empty if there is none.
function variable(name: string): string {
  const sizes = new StaticArray<u32>(2);
  const first = changetype<usize>(sizes);
  if (environSizesGet(first, first + 4) != 0) return "";
  const pointers = new StaticArray<u32>(sizes[0]);
  const entries = new ArrayBuffer(sizes[1]);
  if (environGet(changetype<usize>(pointers), changetype<usize>(entries)) != 0) return "";
  for (let i = 0; i < pointers.length; i++) {
    let length = 0;
    while (load<u8>(pointers[i] + length) != 0) length++;
    const entry = String.UTF8.decodeUnsafe(pointers[i], length);
    if (entry.startsWith(name + "=")) return entry.substring(name.length + 1);
  }
  return "";
}

function print(text: string): void {
  const bytes = new Text(text);
  const iov = new StaticArray<u32>(3);
  iov[0] = <u32>bytes.at;
  iov[1] = bytes.length;
  const at = changetype<usize>(iov);
  if (fdWrite(1, at, 1, at + 8) != 0) unreachable();
}

function main(): void {
  const method = variable("REQUEST_METHOD");
  let seen: Seen;
  if (method == "GET" || method == "HEAD") {
    seen = read();
  } else if (method == "POST") {
    seen = increment();
  } else {
    return print("Status: 405\nAllow: GET, HEAD, POST\n\n");
  }
  if (seen.code < 0) {
    print("Status: 503\nContent-Type: text/plain\n\ncode " + seen.code.toString() + "\n");
  } else {
    print("Content-Type: text/plain\n\n" + seen.count.toString() + "\n");
  }
}

// In place of the import that AssemblyScript would end a program with.
export function abort(
  _message: string | null, _file: string | null, _line: u32, _column: u32,
): void {
  unreachable();
}

main();
