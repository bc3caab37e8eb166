/* The guest ABI of Trilby for C: Dapr's building blocks for WebAssembly modules.
 *
 * One header, C11 or later, nothing to link. Only functions that are used become imports of the
 * module. Memory is the caller's: what the host answers is read into buffers that the caller gives.
 *
 *     #include "trilby.h"
 *
 *     char value[256];
 *     int32_t length = trilby_take(
 *         trilby_state_get(TRILBY("statestore"), TRILBY("colour"), TRILBY_DEFAULTS),
 *         value, sizeof value);
 *     if (length == TRILBY_DENIED) ...
 *
 * - A function gives 0 for done, a handle greater than 0 where there is an answer to read, or a
 *   negative code. Close each handle: the host keeps at most 64 open for a request.
 * - `options` are lines of `name: value`: write them with `trilby_option`. There are none in
 *   TRILBY_DEFAULTS.
 * - `records` are lists, one JSON object on each line: trilby_records.h writes and reads them.
 *
 * ABI.md of trilby-host says what each function does, which options and fields it knows, and which
 * grant of the manifest it needs. */

#ifndef TRILBY_H
#define TRILBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Strings ---- */

/* Text in UTF-8, or bytes: not ended by NUL. */
typedef struct {
    const char *ptr;
    size_t len;
} trilby_str;

/* A string literal. */
#define TRILBY(literal) ((trilby_str){"" literal, sizeof(literal) - 1})

/* No options, no data. */
#define TRILBY_DEFAULTS TRILBY("")

/* A string that NUL ends; NULL is empty. */
static inline trilby_str trilby_text(const char *text) {
    trilby_str made = {text, 0};
    while (text && text[made.len]) {
        made.len++;
    }
    return made;
}

/* Bytes. */
static inline trilby_str trilby_bytes(const void *ptr, size_t len) {
    return (trilby_str){(const char *)ptr, len};
}

static inline bool trilby_equal(trilby_str a, trilby_str b) {
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return false;
        }
    }
    return true;
}

/* ---- Codes ---- */

/* Negative results: the status codes of gRPC, negated. */
enum trilby_code {
    TRILBY_OK = 0,
    TRILBY_CANCELLED = -1,
    TRILBY_UNKNOWN = -2,
    TRILBY_INVALID_ARGUMENT = -3,
    TRILBY_DEADLINE_EXCEEDED = -4,
    TRILBY_NOT_FOUND = -5,
    TRILBY_ALREADY_EXISTS = -6,
    TRILBY_PERMISSION_DENIED = -7,
    TRILBY_RESOURCE_EXHAUSTED = -8,
    TRILBY_FAILED_PRECONDITION = -9,
    TRILBY_ABORTED = -10,
    TRILBY_OUT_OF_RANGE = -11,
    TRILBY_UNIMPLEMENTED = -12,
    TRILBY_INTERNAL = -13,
    TRILBY_UNAVAILABLE = -14, /* Dapr cannot be reached at the moment. */
    TRILBY_DATA_LOSS = -15,
    TRILBY_UNAUTHENTICATED = -16,

    /* Somebody else was faster: the etag was not current, or the lock is held. */
    TRILBY_CONFLICT = TRILBY_ABORTED,
    /* The route has no grant for the target; the error's message has the line to add. */
    TRILBY_DENIED = TRILBY_PERMISSION_DENIED,
    /* The answer did not come in time. A write may have happened all the same. */
    TRILBY_DEADLINE = TRILBY_DEADLINE_EXCEEDED
};

/* The name of a negative result in gRPC, such as NOT_FOUND. */
static inline const char *trilby_code_name(int32_t result) {
    static const char *const names[] = {
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    if (result >= 0) {
        return names[0];
    }
    return result < -16 ? names[2] : names[-result];
}

/* ---- Imports ---- */

/* Outside of WebAssembly these are plain functions, which a test may provide. */
#ifdef __wasm__
#define TRILBY_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#else
#define TRILBY_IMPORT(module, name)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Strings go to the host as pairs. */
#define TRILBY_PAIR(name) const char *name, size_t name##_len

TRILBY_IMPORT("dapr_v1", "header") int32_t trilby_raw_header(
    int32_t handle, TRILBY_PAIR(name), char *buf, size_t cap);
TRILBY_IMPORT("dapr_v1", "headers") int32_t trilby_raw_headers(
    int32_t handle, char *buf, size_t cap);
TRILBY_IMPORT("dapr_v1", "read") int32_t trilby_raw_read(int32_t handle, char *buf, size_t cap);
TRILBY_IMPORT("dapr_v1", "size") int32_t trilby_raw_size(int32_t handle);
TRILBY_IMPORT("dapr_v1", "close") int32_t trilby_raw_close(int32_t handle);
TRILBY_IMPORT("dapr_v1", "write") int32_t trilby_raw_write(int32_t handle, TRILBY_PAIR(data));
TRILBY_IMPORT("dapr_v1", "end") int32_t trilby_raw_end(int32_t handle);
TRILBY_IMPORT("dapr_v1", "error") int32_t trilby_raw_error(char *buf, size_t cap);

/* ---- Answers and streams: dapr_v1 ---- */

/* The length of the answer's header, of which at most `cap` bytes are written to `buf`;
 * TRILBY_NOT_FOUND if there is none. Names are compared without case. */
static inline int32_t trilby_header(int32_t handle, trilby_str name, char *buf, size_t cap) {
    return trilby_raw_header(handle, name.ptr, name.len, buf, cap);
}

/* The same for all headers, as lines of `name: value`. */
static inline int32_t trilby_headers(int32_t handle, char *buf, size_t cap) {
    return trilby_raw_headers(handle, buf, cap);
}

/* The number of bytes of the body written to `buf`, after waiting for some; 0 at its end. */
static inline int32_t trilby_read(int32_t handle, void *buf, size_t cap) {
    return trilby_raw_read(handle, (char *)buf, cap);
}

/* The length of the whole body; TRILBY_FAILED_PRECONDITION for a stream, which does not know it. */
static inline int32_t trilby_size(int32_t handle) {
    return trilby_raw_size(handle);
}

/* Gives the handle back, and breaks a call off that still runs. */
static inline int32_t trilby_close(int32_t handle) {
    return trilby_raw_close(handle);
}

/* Sends a part of a stream's body, and waits while the other side is slower. Gives the number of
 * bytes, which is all of them. */
static inline int32_t trilby_write(int32_t handle, trilby_str data) {
    return trilby_raw_write(handle, data.ptr, data.len);
}

/* Says that the body is sent. */
static inline int32_t trilby_end(int32_t handle) {
    return trilby_raw_end(handle);
}

/* Reads the body to its end, and gives its length; TRILBY_OUT_OF_RANGE if it is longer than `cap`,
 * of which the first `cap` bytes are read then. */
static inline int32_t trilby_read_all(int32_t handle, void *buf, size_t cap) {
    size_t filled = 0;
    char more;
    for (;;) {
        bool full = filled == cap;
        int32_t count = full ? trilby_read(handle, &more, 1)
                             : trilby_read(handle, (char *)buf + filled, cap - filled);
        if (count <= 0) {
            return count < 0 ? count : (int32_t)filled;
        }
        if (full) {
            return TRILBY_OUT_OF_RANGE;
        }
        filled += (size_t)count;
    }
}

/* Reads the body of the answer that a call gave, as `trilby_read_all` does, and closes it. An error
 * of the call stays what it was. */
static inline int32_t trilby_take(int32_t result, void *buf, size_t cap) {
    if (result <= 0) {
        return result;
    }
    int32_t length = trilby_read_all(result, buf, cap);
    trilby_close(result);
    return length;
}

/* ---- Errors ---- */

/* What the host says about the last error. */
typedef struct {
    /* Dapr's word for it, such as ERR_STATE_SAVE, or the host's, which begins with TRILBY_. */
    trilby_str reason;
    /* A sentence for people. */
    trilby_str message;
    char text[1024];
} trilby_error;

/* Asks about the last error. A text that is too long is cut. */
static inline void trilby_last_error(trilby_error *error) {
    const trilby_str key = TRILBY("reason:");
    int32_t given = trilby_raw_error(error->text, sizeof error->text);
    size_t len = given < 0 ? 0 : (size_t)given;
    if (len > sizeof error->text) {
        len = sizeof error->text;
    }
    const char *text = error->text;
    error->reason = TRILBY_DEFAULTS;
    error->message = TRILBY_DEFAULTS;
    for (size_t at = 0; at < len;) {
        size_t end = at;
        while (end < len && text[end] != '\n') {
            end++;
        }
        if (end == at) {
            /* The blank line: the rest is the message. */
            error->message = trilby_bytes(text + at + 1, len - at - 1);
            return;
        }
        size_t value = at + key.len;
        if (value <= end && trilby_equal(trilby_bytes(text + at, key.len), key)) {
            while (value < end && text[value] == ' ') {
                value++;
            }
            error->reason = trilby_bytes(text + value, end - value);
        }
        at = end + 1;
    }
}

/* ---- Writing options ---- */

/* A text that is written piece by piece into the caller's buffer. */
typedef struct {
    char *buf;
    size_t cap;
    size_t len;
    /* Something did not fit, or could not stand where it was to go. */
    bool bad;
    /* A record is begun: see trilby_records.h. */
    bool in_record;
} trilby_out;

static inline trilby_out trilby_out_to(char *buf, size_t cap) {
    return (trilby_out){buf, cap, 0, false, false};
}

static inline void trilby_put(trilby_out *out, trilby_str piece) {
    if (piece.len > out->cap - out->len) {
        out->bad = true;
        return;
    }
    for (size_t i = 0; i < piece.len; i++) {
        out->buf[out->len++] = piece.ptr[i];
    }
}

static inline void trilby_put_char(trilby_out *out, char c) {
    trilby_put(out, trilby_bytes(&c, 1));
}

/* What was written. A text that is bad is not sent in part: the host gets one that it refuses
 * (TRILBY_INVALID_ARGUMENT). */
static inline trilby_str trilby_out_str(const trilby_out *out) {
    return out->bad ? TRILBY("!\n") : trilby_bytes(out->buf, out->len);
}

static inline bool trilby_one_line(trilby_str text, bool colon_too) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n' || c == '\r' || (colon_too && c == ':')) {
            return false;
        }
    }
    return true;
}

/* Adds an option, such as `etag` or `metadata.ttlInSeconds`. One that would break out of its line
 * makes the text bad. */
static inline void trilby_option(trilby_out *out, trilby_str name, trilby_str value) {
    if (name.len == 0 || !trilby_one_line(name, true) || !trilby_one_line(value, false)) {
        out->bad = true;
        return;
    }
    trilby_put(out, name);
    trilby_put(out, TRILBY(": "));
    trilby_put(out, value);
    trilby_put_char(out, '\n');
}

/* ---- Blocks ----
 *
 * `TRILBY_3(state_get, "dapr_state_v1", "get", store, key, options)` declares an import and
 *
 *     int32_t trilby_state_get(trilby_str store, trilby_str key, trilby_str options);
 */

#define TRILBY_DECLARE(name, module, import, pairs, strings, call) \
    TRILBY_IMPORT(module, import) int32_t trilby_raw_##name pairs; \
    static inline int32_t trilby_##name strings { \
        return trilby_raw_##name call; \
    }

#define TRILBY_BOTH(name) name.ptr, name.len

#define TRILBY_1(name, module, import, a) \
    TRILBY_DECLARE(name, module, import, (TRILBY_PAIR(a)), (trilby_str a), (TRILBY_BOTH(a)))

#define TRILBY_2(name, module, import, a, b) \
    TRILBY_DECLARE(name, module, import, (TRILBY_PAIR(a), TRILBY_PAIR(b)), \
                   (trilby_str a, trilby_str b), (TRILBY_BOTH(a), TRILBY_BOTH(b)))

#define TRILBY_3(name, module, import, a, b, c) \
    TRILBY_DECLARE(name, module, import, (TRILBY_PAIR(a), TRILBY_PAIR(b), TRILBY_PAIR(c)), \
                   (trilby_str a, trilby_str b, trilby_str c), \
                   (TRILBY_BOTH(a), TRILBY_BOTH(b), TRILBY_BOTH(c)))

#define TRILBY_4(name, module, import, a, b, c, d) \
    TRILBY_DECLARE(name, module, import, \
                   (TRILBY_PAIR(a), TRILBY_PAIR(b), TRILBY_PAIR(c), TRILBY_PAIR(d)), \
                   (trilby_str a, trilby_str b, trilby_str c, trilby_str d), \
                   (TRILBY_BOTH(a), TRILBY_BOTH(b), TRILBY_BOTH(c), TRILBY_BOTH(d)))

#define TRILBY_5(name, module, import, a, b, c, d, e) \
    TRILBY_DECLARE( \
        name, module, import, \
        (TRILBY_PAIR(a), TRILBY_PAIR(b), TRILBY_PAIR(c), TRILBY_PAIR(d), TRILBY_PAIR(e)), \
        (trilby_str a, trilby_str b, trilby_str c, trilby_str d, trilby_str e), \
        (TRILBY_BOTH(a), TRILBY_BOTH(b), TRILBY_BOTH(c), TRILBY_BOTH(d), TRILBY_BOTH(e)))

/* ---- State: dapr_state_v1 ---- */

/* A handle: the body is the value, header `etag` its version. A key that is missing has an empty
 * body and no etag. Options: `consistency` (`eventual`, `strong`), `metadata.NAME`. */
TRILBY_3(state_get, "dapr_state_v1", "get", store, key, options)

/* Writes a key. Options: `etag`, `concurrency` (`first-write`, `last-write`), `consistency`,
 * `content-type`, `metadata.NAME`. TRILBY_CONFLICT if the etag is not current. */
TRILBY_4(state_set, "dapr_state_v1", "set", store, key, options, value)

/* Removes a key; one that is missing is no error. Options as for `set`, but the content type. */
TRILBY_3(state_delete, "dapr_state_v1", "delete", store, key, options)

/* Records asked for: `key`. A handle: records `key`, `value` or `value-base64`, `etag`,
 * `metadata`, `error`, in any order. Options: `parallelism`, `metadata.NAME`. */
TRILBY_3(state_get_bulk, "dapr_state_v1", "get_bulk", store, options, records)

/* Records: `key`, `value` or `value-base64`, and the options of `set`. Not atomic. */
TRILBY_3(state_set_bulk, "dapr_state_v1", "set_bulk", store, options, records)

/* Records: `key`, and the options of `delete`. Not atomic. */
TRILBY_3(state_delete_bulk, "dapr_state_v1", "delete_bulk", store, options, records)

/* Records: `operation` (`upsert`, `delete`) and the fields of `set_bulk`. All in order or none. */
TRILBY_3(state_transact, "dapr_state_v1", "transact", store, options, records)

/* Dapr's JSON of a query. A handle: records `key`, `value` or `value-base64`, `etag`, `error`;
 * header `token` where there is more. */
TRILBY_3(state_query, "dapr_state_v1", "query", store, options, query)

/* ---- Publish: dapr_pubsub_v1 ---- */

/* Publishes an event. Options: `content-type`, `metadata.NAME`. */
TRILBY_4(pubsub_publish, "dapr_pubsub_v1", "publish", pubsub, topic, options, data)

/* Records: `id`, `data` or `data-base64`, `content-type`, `metadata`. A handle: records `id`,
 * `error` of those that were not published. */
TRILBY_4(pubsub_publish_bulk, "dapr_pubsub_v1", "publish_bulk", pubsub, topic, options, records)

/* ---- Output bindings: dapr_binding_v1 ---- */

/* A handle: the body is the binding's answer, headers `metadata.NAME` what it adds. Options:
 * `metadata.NAME`. */
TRILBY_4(binding_invoke, "dapr_binding_v1", "invoke", binding, operation, options, data)

/* ---- Calls of other apps: dapr_invoke_v1 ---- */

/* A handle: header `status`, headers `header.NAME`, the body a stream. The method is a path as it
 * stands in a URL. Options: `verb`, `query`, `content-type`, `header.NAME`. */
TRILBY_4(invoke_call, "dapr_invoke_v1", "call", app, method, options, body)

/* The same, but the body is written to the handle. */
TRILBY_3(invoke_open, "dapr_invoke_v1", "open", app, method, options)

/* ---- Secrets: dapr_secret_v1 ---- */

/* A handle: headers `value.NAME`; of a secret with one value, the body is it. Options:
 * `metadata.version` and its kin. */
TRILBY_3(secret_get, "dapr_secret_v1", "get", store, key, options)

/* A handle: records `key`, `values`, of all secrets that are granted. */
TRILBY_2(secret_get_bulk, "dapr_secret_v1", "get_bulk", store, options)

/* ---- Configuration: dapr_configuration_v1 ---- */

/* Records asked for: `key`; none asks for all that is granted. A handle: records `key`, `value`,
 * `version`, `metadata`. Options: `metadata.NAME`. */
TRILBY_3(configuration_get, "dapr_configuration_v1", "get", store, options, records)

/* ---- Distributed lock: dapr_lock_v1 ---- */

/* Takes a lock. Option: `expiry`, in whole seconds, which must be there. TRILBY_CONFLICT when
 * somebody holds it, the same owner too. */
TRILBY_4(lock_try_lock, "dapr_lock_v1", "try_lock", store, resource, owner, options)

/* Gives a lock back. TRILBY_NOT_FOUND when nobody holds it, TRILBY_CONFLICT when it is not the
 * owner's. */
TRILBY_4(lock_unlock, "dapr_lock_v1", "unlock", store, resource, owner, options)

/* ---- Jobs: dapr_jobs_v1 ---- */

/* Options: `schedule`, `due-time`, `repeats`, `ttl`, `overwrite`, `failure-policy`,
 * `failure-interval`, `failure-retries`, `content-type`. */
TRILBY_3(jobs_schedule, "dapr_jobs_v1", "schedule", name, options, data)

/* A handle: the body is the data, headers `schedule`, `due-time`, `repeats`, `ttl`,
 * `content-type`. */
TRILBY_2(jobs_get, "dapr_jobs_v1", "get", name, options)

/* Removes a job; one that is missing is no error. */
TRILBY_2(jobs_delete, "dapr_jobs_v1", "delete", name, options)

/* A handle: records `name`, `schedule`, `due-time`, `repeats`, `ttl`, `data` or `data-base64`. */
TRILBY_1(jobs_list, "dapr_jobs_v1", "list", options)

/* ---- Encryption: dapr_crypto_v1 ---- */

/* A handle: the body, a stream, is Dapr's envelope. Options: `algorithm`, which must be there,
 * `cipher`, `decryption-key`, `omit-decryption-key`. */
TRILBY_4(crypto_encrypt, "dapr_crypto_v1", "encrypt", component, key, options, data)

/* A handle: the body, a stream, is the plain text. Only its end says that nothing is missing. */
TRILBY_4(crypto_decrypt, "dapr_crypto_v1", "decrypt", component, key, options, data)

/* As `encrypt`, but the data is written to the handle. */
TRILBY_3(crypto_encrypt_open, "dapr_crypto_v1", "encrypt_open", component, key, options)

/* As `decrypt`, but the envelope is written to the handle. */
TRILBY_3(crypto_decrypt_open, "dapr_crypto_v1", "decrypt_open", component, key, options)

/* ---- Large language models: dapr_conversation_v1 ---- */

/* Request and answer, the body of the handle, are the JSON of Dapr's HTTP API, alpha 2. */
TRILBY_3(conversation_converse, "dapr_conversation_v1", "converse", component, options, request)

/* ---- Actors: dapr_actor_v1 ---- */

/* A handle: the body is the answer. Options: `metadata.NAME`. */
TRILBY_5(actor_invoke, "dapr_actor_v1", "invoke", type, id, method, options, data)

/* A handle: the body is the value, empty when it is missing. */
TRILBY_4(actor_get_state, "dapr_actor_v1", "get_state", type, id, key, options)

/* Records: `operation` (`upsert`, `delete`), `key`, `value` or `value-base64`, `metadata`. */
TRILBY_4(actor_transact_state, "dapr_actor_v1", "transact_state", type, id, options, records)

/* Options: `due-time`, `period`, `ttl`, `overwrite`. The data is JSON. */
TRILBY_5(actor_register_reminder, "dapr_actor_v1", "register_reminder",
    type, id, name, options, data)

/* A handle: the body is the data, headers `due-time`, `period`, `ttl`. */
TRILBY_4(actor_get_reminder, "dapr_actor_v1", "get_reminder", type, id, name, options)

/* Removes a reminder. */
TRILBY_4(actor_unregister_reminder, "dapr_actor_v1", "unregister_reminder", type, id, name, options)

/* Options: `due-time`, `period`, `ttl`, `callback`. */
TRILBY_5(actor_register_timer, "dapr_actor_v1", "register_timer", type, id, name, options, data)

/* Removes a timer. */
TRILBY_4(actor_unregister_timer, "dapr_actor_v1", "unregister_timer", type, id, name, options)

/* ---- The runtime: dapr_metadata_v1 ---- */

/* A handle: the body is the JSON of Dapr's /v1.0/metadata. */
TRILBY_1(metadata_get, "dapr_metadata_v1", "get", options)

/* Adds to the extended metadata. */
TRILBY_3(metadata_set, "dapr_metadata_v1", "set", key, value, options)

/* ---- Any other rpc: dapr_v1 ---- */

/* Calls a unary rpc of dapr.proto.runtime.v1.Dapr by its name. The request and the body of the
 * handle are protobuf. Option: `metadata.NAME`. */
TRILBY_3(dapr_call, "dapr_v1", "call", method, options, request)

#ifdef __cplusplus
}
#endif

#undef TRILBY_5
#undef TRILBY_4
#undef TRILBY_3
#undef TRILBY_2
#undef TRILBY_1
#undef TRILBY_BOTH
#undef TRILBY_DECLARE
#undef TRILBY_PAIR
#undef TRILBY_IMPORT

#endif
