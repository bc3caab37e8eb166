//! A counter: GET /count tells the number, POST /count adds one to it. No SDK, no C library: the
//! guest ABI (crates/trilby-host/ABI.md) as extern functions.

const std = @import("std");
const wasi = std.os.wasi;

extern "dapr_state_v1" fn get(
    store: [*]const u8,
    store_len: usize,
    key: [*]const u8,
    key_len: usize,
    options: [*]const u8,
    options_len: usize,
) i32;
extern "dapr_state_v1" fn set(
    store: [*]const u8,
    store_len: usize,
    key: [*]const u8,
    key_len: usize,
    options: [*]const u8,
    options_len: usize,
    value: [*]const u8,
    value_len: usize,
) i32;
extern "dapr_v1" fn header(
    handle: i32,
    name: [*]const u8,
    name_len: usize,
    buf: [*]u8,
    cap: usize,
) i32;
extern "dapr_v1" fn read(handle: i32, buf: [*]u8, cap: usize) i32;
extern "dapr_v1" fn close(handle: i32) i32;

const store = "statestore";
const key = "counter";

const Failure = error{ Conflict, Refused, NoNumber };

/// How often an increment is tried before the guest gives up. Of several that meet, one gets on in
/// each round, and an unlucky one may wait for many rounds.
const attempts_max = 100;

pub fn main() void {
    const method = variable("REQUEST_METHOD") orelse "";
    const count = if (std.mem.eql(u8, method, "POST"))
        increment()
    else if (std.mem.eql(u8, method, "GET") or std.mem.eql(u8, method, "HEAD"))
        load(null)
    else
        return print("Status: 405\nAllow: GET, HEAD, POST\n\n", .{});
    if (count) |number| {
        print("Content-Type: text/plain\n\n{d}\n", .{number});
    } else |failure| {
        print("Status: 503\nContent-Type: text/plain\n\n{s}\n", .{@errorName(failure)});
    }
}

/// Adds one under the etag it has seen, and again from the start when another request was faster.
fn increment() Failure!u64 {
    for (0..attempts_max) |_| {
        var options = Options{};
        const count = try load(&options) + 1;
        var text: [20]u8 = undefined;
        const value = std.fmt.bufPrint(&text, "{d}", .{count}) catch unreachable;
        store_value(&options, value) catch |failure| switch (failure) {
            error.Conflict => continue,
            else => return failure,
        };
        return count;
    }
    return error.Conflict;
}

/// The options of a write that must find what was read.
const Options = struct {
    buf: [256]u8 = undefined,
    len: usize = 0,

    fn add(self: *Options, comptime format: []const u8, args: anytype) Failure!void {
        const added = std.fmt.bufPrint(self.buf[self.len..], format, args);
        self.len += (added catch return error.Refused).len;
    }
};

/// The number in the store; a missing key is 0.
fn load(options: ?*Options) Failure!u64 {
    const handle = get(store, store.len, key, key.len, "", 0);
    if (handle < 0) return error.Refused;
    defer _ = close(handle);

    var value: [20]u8 = undefined;
    const value_len = try length(read(handle, &value, value.len), value.len);
    if (options) |wanted| {
        try wanted.add("concurrency: first-write\n", .{});
        if (value_len > 0) {
            var etag: [128]u8 = undefined;
            const etag_len = try length(header(handle, "etag", 4, &etag, etag.len), etag.len);
            try wanted.add("etag: {s}\n", .{etag[0..etag_len]});
        }
    }
    if (value_len == 0) return 0;
    return std.fmt.parseInt(u64, value[0..value_len], 10) catch error.NoNumber;
}

fn store_value(options: *const Options, value: []const u8) Failure!void {
    const result =
        set(store, store.len, key, key.len, &options.buf, options.len, value.ptr, value.len);
    if (result == -10) return error.Conflict;
    if (result < 0) return error.Refused;
}

/// A result that is a length, which must be no more than there was room for.
fn length(result: i32, cap: usize) Failure!usize {
    if (result < 0 or result > cap) return error.Refused;
    return @intCast(result);
}

var environ: [128 * 1024]u8 = undefined;
var pointers: [512][*:0]u8 = undefined;

/// A variable of the environment.
fn variable(name: []const u8) ?[]const u8 {
    var count: usize = 0;
    var size: usize = 0;
    if (wasi.environ_sizes_get(&count, &size) != .SUCCESS) return null;
    if (count > pointers.len or size > environ.len) return null;
    if (wasi.environ_get(&pointers, &environ) != .SUCCESS) return null;
    for (pointers[0..count]) |entry| {
        const text = std.mem.span(entry);
        const value = std.mem.cutPrefix(u8, text, name) orelse continue;
        if (std.mem.startsWith(u8, value, "=")) return value[1..];
    }
    return null;
}

fn print(comptime format: []const u8, args: anytype) void {
    var buf: [256]u8 = undefined;
    const text = std.fmt.bufPrint(&buf, format, args) catch unreachable;
    const iovs = [_]wasi.ciovec_t{.{ .base = text.ptr, .len = text.len }};
    var written: usize = 0;
    _ = wasi.fd_write(1, &iovs, iovs.len, &written);
}
