/* Each block once, as GUIDE.md shows it: its blocks stand here word for word, so that they compile.
 * Part of no program. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trilby_records.h"

/* ---- Errors ---- */

/* What a client is told of a call that failed. */
int status_of(int32_t result) {
    switch (result) {
    case TRILBY_CONFLICT: return 409;
    case TRILBY_NOT_FOUND: return 404;
    case TRILBY_UNAVAILABLE: return 503;
    case TRILBY_DEADLINE: return 504;
    default: return 500; /* TRILBY_DENIED, too: the manifest is to be mended. */
    }
}

/* ---- What comes in ---- */

static bool is(const char *trigger, const char *name) {
    return trigger && strcmp(trigger, name) == 0;
}

int answer(void) {
    const char *trigger = getenv("TRILBY_TRIGGER");
    if (is(trigger, "topic")) {
        fprintf(stderr, "event %s\n", getenv("CE_ID"));
    } else if (is(trigger, "binding")) {
        fprintf(stderr, "binding %s\n", getenv("BINDING_NAME"));
    } else if (is(trigger, "job")) {
        fprintf(stderr, "job %s\n", getenv("JOB_NAME"));
    } else if (is(trigger, "configuration")) {
        fprintf(stderr, "changed: %s\n", getenv("CONFIGURATION_KEY"));
    }
    printf(is(trigger, "http") ? "Content-Type: text/plain\n\nhello\n" : "Status: 204\n\n");
    return fflush(stdout) != 0;
}

/* ---- State ---- */

/* Reads the number, and writes the options of a write that must find the same version. */
int32_t read_hits(long *hits, trilby_out *options) {
    char text[24] = "", etag[128];
    int32_t seen = trilby_state_get(TRILBY("statestore"), TRILBY("hits"), TRILBY_DEFAULTS);
    if (seen < 0) {
        return seen;
    }
    int32_t etag_len = trilby_header(seen, TRILBY("etag"), etag, sizeof etag);
    int32_t len = trilby_take(seen, text, sizeof text - 1);
    trilby_option(options, TRILBY("concurrency"), TRILBY("first-write"));
    if (etag_len > 0 && etag_len <= (int32_t)sizeof etag) {
        trilby_option(options, TRILBY("etag"), trilby_bytes(etag, (size_t)etag_len));
    }
    *hits = strtol(text, NULL, 10); /* What is missing, or no number, counts as 0. */
    return len;
}

/* Adds one, from the start again when somebody else was faster. */
int32_t count(void) {
    int32_t result = TRILBY_CONFLICT;
    for (int attempt = 0; attempt < 100 && result == TRILBY_CONFLICT; attempt++) {
        char text[24], buf[128];
        long hits = 0;
        trilby_out options = trilby_out_to(buf, sizeof buf);
        if ((result = read_hits(&hits, &options)) >= 0) {
            snprintf(text, sizeof text, "%ld", hits + 1);
            result = trilby_state_set(TRILBY("statestore"), TRILBY("hits"),
                                      trilby_out_str(&options), trilby_text(text));
        }
    }
    return result;
}

int32_t check_out(void) {
    char buf[512];
    trilby_out steps = trilby_out_to(buf, sizeof buf);
    trilby_record_text(&steps, TRILBY("operation"), TRILBY("upsert"));
    trilby_record_text(&steps, TRILBY("key"), TRILBY("order-7"));
    trilby_record_text(&steps, TRILBY("value"), TRILBY("{\"paid\":true}"));
    trilby_record_json(&steps, TRILBY("metadata"), TRILBY("{\"ttlInSeconds\":\"86400\"}"));
    trilby_record_end(&steps);
    trilby_record_text(&steps, TRILBY("operation"), TRILBY("delete"));
    trilby_record_text(&steps, TRILBY("key"), TRILBY("cart-7"));
    trilby_record_end(&steps);
    return trilby_state_transact(TRILBY("statestore"), TRILBY_DEFAULTS, trilby_out_str(&steps));
}

/* ---- Topics ---- */

int32_t place(void) {
    return trilby_pubsub_publish(TRILBY("pubsub"), TRILBY("orders"),
                                 TRILBY("content-type: application/json\n"),
                                 TRILBY("{\"item\":\"tea\"}"));
}

int32_t place_all(char *failures, size_t cap) {
    const trilby_str events = TRILBY("{\"id\":\"a\",\"data\":\"{\\\"item\\\":\\\"tea\\\"}\"}\n"
                                     "{\"id\":\"b\",\"data\":\"{\\\"item\\\":\\\"cake\\\"}\"}\n");
    return trilby_take(trilby_pubsub_publish_bulk(TRILBY("pubsub"), TRILBY("orders"),
                                                  TRILBY("content-type: application/json\n"),
                                                  events),
                       failures, cap);
}

int keep(void) {
    static char data[65536];
    char buf[256];
    size_t len = fread(data, 1, sizeof data, stdin);
    trilby_out key = trilby_out_to(buf, sizeof buf);
    trilby_put(&key, TRILBY("order-"));
    trilby_put(&key, trilby_text(getenv("CE_ID")));
    int32_t result = TRILBY_INVALID_ARGUMENT; /* It would be too long the next time, too. */
    if (!key.bad && len < sizeof data) {
        result = trilby_state_set(TRILBY("statestore"), trilby_out_str(&key), TRILBY_DEFAULTS,
                                  trilby_bytes(data, len));
    }
    printf("Status: %d\n\n", result == 0 ? 204 : result == TRILBY_INVALID_ARGUMENT ? 404 : 503);
    return fflush(stdout) != 0;
}

/* ---- Bindings ---- */

int32_t archive(trilby_str report, char *reply, size_t cap) {
    return trilby_take(trilby_binding_invoke(TRILBY("files"), TRILBY("create"),
                                             TRILBY("metadata.fileName: report.txt\n"), report),
                       reply, cap);
}

/* ---- Other apps ---- */

int32_t forward(void) {
    char piece[4096], status[4] = "";
    int32_t len, handle = trilby_invoke_call(TRILBY("stock"), TRILBY("items/7"),
                                             TRILBY("verb: GET\nquery: full=1\n"),
                                             TRILBY_DEFAULTS);
    if (handle < 0) {
        return handle;
    }
    trilby_header(handle, TRILBY("status"), status, sizeof status - 1);
    printf("Status: %s\n\n", status);
    while ((len = trilby_read(handle, piece, sizeof piece)) > 0) {
        fwrite(piece, 1, (size_t)len, stdout);
    }
    trilby_close(handle);
    return len;
}

/* ---- Secrets ---- */

int32_t password(char *value, size_t cap) {
    int32_t handle = trilby_secret_get(TRILBY("secrets"), TRILBY("database"), TRILBY_DEFAULTS);
    if (handle < 0) {
        return handle;
    }
    int32_t len = trilby_header(handle, TRILBY("value.password"), value, cap);
    trilby_close(handle);
    return len > (int32_t)cap ? TRILBY_OUT_OF_RANGE : len;
}

/* ---- Configuration ---- */

int32_t limit(char *value, size_t cap) {
    char body[1024];
    int32_t handle = trilby_configuration_get(TRILBY("settings"), TRILBY_DEFAULTS,
                                              TRILBY("{\"key\":\"limit\"}\n"));
    int32_t len = trilby_take(handle, body, sizeof body);
    trilby_str item, items = trilby_bytes(body, len < 0 ? 0 : (size_t)len);
    if (len < 0) {
        return len;
    }
    return trilby_next_record(&items, &item) ? trilby_field(item, TRILBY("value"), value, cap)
                                             : TRILBY_NOT_FOUND;
}

/* ---- Lock ---- */

int32_t alone(trilby_str owner, int32_t (*report)(void)) {
    const trilby_str store = TRILBY("lockstore"), what = TRILBY("report");
    int32_t result = trilby_lock_try_lock(store, what, owner, TRILBY("expiry: 30\n"));
    if (result == TRILBY_CONFLICT) {
        return 0;
    }
    if (result < 0) {
        return result;
    }
    result = report();
    int32_t given_back = trilby_lock_unlock(store, what, owner, TRILBY_DEFAULTS);
    return result < 0 ? result : given_back;
}

/* ---- Jobs ---- */

int32_t plan(void) {
    int32_t result = trilby_jobs_schedule(TRILBY("report"),
                                          TRILBY("schedule: 0 30 3 * * *\noverwrite: true\n"),
                                          TRILBY_DEFAULTS);
    if (result < 0) {
        return result;
    }
    return trilby_jobs_schedule(TRILBY("remind-7"),
                                TRILBY("due-time: 10m\ncontent-type: application/json\n"),
                                TRILBY("{\"order\":7}"));
}

/* ---- Encryption ---- */

int32_t seal(trilby_str plain, char *envelope, size_t cap) {
    return trilby_take(trilby_crypto_encrypt(TRILBY("vault"), TRILBY("customers"),
                                             TRILBY("algorithm: RSA-OAEP-256\n"), plain),
                       envelope, cap);
}

int32_t unseal(void) {
    char piece[4096];
    size_t len;
    int32_t result = 0, stream = trilby_crypto_decrypt_open(TRILBY("vault"), TRILBY("customers"),
                                                            TRILBY_DEFAULTS);
    if (stream < 0) {
        return stream;
    }
    while (result >= 0 && (len = fread(piece, 1, sizeof piece, stdin)) > 0) {
        result = trilby_write(stream, trilby_bytes(piece, len));
    }
    result = result < 0 ? result : trilby_end(stream);
    while (result >= 0 && (result = trilby_read(stream, piece, sizeof piece)) > 0) {
        fwrite(piece, 1, (size_t)result, stdout);
    }
    trilby_close(stream);
    return result;
}

/* ---- Models, actors, the runtime ---- */

int32_t ask(char *reply, size_t cap) {
    const trilby_str request = TRILBY("{\"inputs\": [{\"messages\": [{\"ofUser\": {\"content\": ["
                                      "{\"text\": \"What is WebAssembly?\"}]}}]}]}");
    return trilby_take(
        trilby_conversation_converse(TRILBY("model"), TRILBY_DEFAULTS, request), reply, cap);
}

int32_t temperature(char *reply, size_t cap) {
    return trilby_take(trilby_actor_invoke(TRILBY("Thermostat"), TRILBY("kitchen"),
                                           TRILBY("temperature"), TRILBY_DEFAULTS,
                                           TRILBY_DEFAULTS),
                       reply, cap);
}

int32_t introduce(char *json, size_t cap) {
    int32_t result = trilby_metadata_set(TRILBY("owner"), TRILBY("team-tea"), TRILBY_DEFAULTS);
    return result < 0 ? result : trilby_take(trilby_metadata_get(TRILBY_DEFAULTS), json, cap);
}

int32_t reminders(char *reply, size_t cap) {
    return trilby_take(trilby_dapr_call(TRILBY("ListActorReminders"), TRILBY_DEFAULTS,
                                        TRILBY("\x0a\x0aThermostat")),
                       reply, cap);
}
