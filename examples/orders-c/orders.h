/* What the two guests share: orders are kept and told as `{"id":…,"item":…,"status":…}`. */

#include <stdio.h>
#include <string.h>

#include "trilby_records.h"

#define STORE TRILBY("statestore")

/* An item has 4 KiB at most; each of its bytes may be six in JSON. */
#define ITEM_MAX 4096u
#define ORDER_MAX (8 * ITEM_MAX)

/* How often a change is tried before the guest gives up. Of several that meet, one gets on in each
 * round, and an unlucky one may wait for many rounds. */
#define ATTEMPTS_MAX 100

/* The key of an order, in the caller's buffer. */
static inline trilby_str order_key(trilby_str id, char *buf, size_t cap) {
    trilby_out key = trilby_out_to(buf, cap);
    trilby_put(&key, TRILBY("order-"));
    trilby_put(&key, id);
    /* An id that does not fit is that of no order. */
    return key.bad ? TRILBY("order-") : trilby_out_str(&key);
}

/* Writes an order. */
static inline void put_order(trilby_out *out, trilby_str id, trilby_str item, const char *status) {
    trilby_record_text(out, TRILBY("id"), id);
    trilby_record_text(out, TRILBY("item"), item);
    trilby_record_text(out, TRILBY("status"), trilby_text(status));
    trilby_record_end(out);
}

/* Reads a key, and its etag as options for a write that must find the same version: of a missing
 * key, that it still is missing. Gives the length of the value, or the error. */
static inline int32_t get_for_update(trilby_str key, char *value, size_t cap, trilby_out *options) {
    char etag[128];
    int32_t handle = trilby_state_get(STORE, key, TRILBY_DEFAULTS);
    if (handle < 0) {
        return handle;
    }
    int32_t etag_len = trilby_header(handle, TRILBY("etag"), etag, sizeof etag);
    int32_t len = trilby_take(handle, value, cap);
    trilby_option(options, TRILBY("concurrency"), TRILBY("first-write"));
    if (etag_len > 0) {
        size_t whole = (size_t)etag_len <= sizeof etag ? (size_t)etag_len : 0;
        trilby_option(options, TRILBY("etag"), trilby_bytes(etag, whole));
    } else if (etag_len != TRILBY_NOT_FOUND) {
        return etag_len < 0 ? etag_len : TRILBY_INTERNAL;
    }
    return len;
}

/* Tells the log why a call was refused. */
static inline void log_error(int32_t result) {
    trilby_error error;
    trilby_last_error(&error);
    fprintf(stderr, "%s: %.*s\n", trilby_code_name(result), (int)error.message.len,
            error.message.ptr);
}
