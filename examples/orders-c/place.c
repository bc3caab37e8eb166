/* Takes orders: POST /orders with what is ordered as the body, GET /orders/ID tells about one. */

#include <stdlib.h>

#include "orders.h"

/* Counts the orders. Requests that meet get numbers of their own: the count is written under the
 * etag that was read, and again from the start when another request was faster. */
static int32_t next_id(char *id, size_t cap) {
    int32_t result = TRILBY_CONFLICT;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && result == TRILBY_CONFLICT; attempt++) {
        char value[24], buf[256];
        trilby_out options = trilby_out_to(buf, sizeof buf);
        int32_t len = get_for_update(TRILBY("orders"), value, sizeof value - 1, &options);
        if (len < 0) {
            return len;
        }
        value[len] = 0;
        snprintf(id, cap, "%llu", strtoull(value, NULL, 10) + 1);
        result = trilby_state_set(STORE, TRILBY("orders"), trilby_out_str(&options),
                                  trilby_text(id));
    }
    return result;
}

/* Keeps the order, then publishes it: whoever ships it must find it. */
static int32_t keep_and_publish(trilby_str id, trilby_str order) {
    char key[64];
    int32_t kept =
        trilby_state_set(STORE, order_key(id, key, sizeof key), TRILBY_DEFAULTS, order);
    if (kept < 0) {
        return kept;
    }
    return trilby_pubsub_publish(TRILBY("pubsub"), TRILBY("orders"),
                                 TRILBY("content-type: application/json\n"), order);
}

static void refuse(int32_t result) {
    log_error(result);
    bool later = result == TRILBY_CONFLICT || result == TRILBY_UNAVAILABLE;
    printf("Status: %d\nContent-Type: text/plain\n\n%s\n", later ? 503 : 500,
           later ? "try again later" : "out of order");
}

static void place(void) {
    static char item[ITEM_MAX + 1], order[ORDER_MAX];
    size_t len = fread(item, 1, sizeof item, stdin);
    if (len == 0 || len > ITEM_MAX) {
        printf("Status: 400\nContent-Type: text/plain\n\nan order needs an item\n");
        return;
    }
    char id[24];
    int32_t result = next_id(id, sizeof id);
    if (result < 0) {
        refuse(result);
        return;
    }
    trilby_out text = trilby_out_to(order, sizeof order);
    put_order(&text, trilby_text(id), trilby_bytes(item, len), "new");
    trilby_str whole = trilby_out_str(&text);
    result = keep_and_publish(trilby_text(id), whole);
    if (result < 0) {
        refuse(result);
        return;
    }
    printf("Status: 201\nContent-Type: application/json\n\n%.*s", (int)whole.len, whole.ptr);
}

static void tell(const char *id) {
    static char order[ORDER_MAX];
    char key[64];
    trilby_str at = order_key(trilby_text(id), key, sizeof key);
    int32_t len = trilby_take(trilby_state_get(STORE, at, TRILBY_DEFAULTS), order, sizeof order);
    if (len < 0) {
        refuse(len);
    } else if (len == 0) {
        printf("Status: 404\nContent-Type: text/plain\n\nno such order\n");
    } else {
        printf("Content-Type: application/json\n\n%.*s", (int)len, order);
    }
}

int main(void) {
    const char *method = getenv("REQUEST_METHOD"), *path = getenv("PATH_INFO");
    const char *id = path && path[0] == '/' ? path + 1 : "";
    if (method && strcmp(method, "POST") == 0 && id[0] == 0) {
        place();
    } else if (method && strcmp(method, "GET") == 0 && id[0] != 0) {
        tell(id);
    } else {
        printf("Status: 405\nContent-Type: text/plain\n\nPOST /orders, or GET /orders/ID\n");
    }
    return fflush(stdout) != 0;
}
