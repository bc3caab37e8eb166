/* Ships what was ordered, told by the topic `orders`. The answer's status is the event's: 2xx is
 * done, 404 drops the event, anything else asks for it again. */

#include <stdlib.h>

#include "orders.h"

/* An event may come twice. The second time, nothing changes. */
static int32_t ship(trilby_str event) {
    static char id[24], item[ITEM_MAX], old[ORDER_MAX], order[ORDER_MAX];
    int32_t id_len = trilby_field(event, TRILBY("id"), id, sizeof id);
    int32_t item_len = trilby_field(event, TRILBY("item"), item, sizeof item);
    if (id_len < 0 || item_len < 0) {
        return TRILBY_INVALID_ARGUMENT;
    }
    char buf[64];
    trilby_str key = order_key(trilby_bytes(id, (size_t)id_len), buf, sizeof buf);
    trilby_out text = trilby_out_to(order, sizeof order);
    put_order(&text, trilby_bytes(id, (size_t)id_len), trilby_bytes(item, (size_t)item_len),
              "shipped");
    int32_t result = TRILBY_CONFLICT;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && result == TRILBY_CONFLICT; attempt++) {
        char block[256];
        trilby_out options = trilby_out_to(block, sizeof block);
        result = get_for_update(key, old, sizeof old, &options);
        if (result >= 0) {
            result = trilby_state_set(STORE, key, trilby_out_str(&options), trilby_out_str(&text));
        }
    }
    return result;
}

int main(void) {
    static char data[ORDER_MAX];
    const char *trigger = getenv("TRILBY_TRIGGER");
    if (!trigger || strcmp(trigger, "topic") != 0) {
        printf("Status: 400\nContent-Type: text/plain\n\nthis guest is for a topic\n");
        return fflush(stdout) != 0;
    }
    int32_t result = ship(trilby_bytes(data, fread(data, 1, sizeof data, stdin)));
    if (result < 0) {
        log_error(result);
    }
    /* What is no order would be none the next time, too. */
    printf("Status: %d\n\n", result >= 0 ? 204 : result == TRILBY_INVALID_ARGUMENT ? 404 : 503);
    return fflush(stdout) != 0;
}
