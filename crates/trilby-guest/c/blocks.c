/* Each block once, as a guest may use it. Part of no program: the tests only compile it.
 *
 * What comes in (events of topics and bindings, jobs, changes of configuration) is a CGI request:
 * getenv("TRILBY_TRIGGER") tells which, standard input has the data, and status 2xx is done. */

#include <stdio.h>

#include "trilby_records.h"

/* Adds to a text, again from the start when somebody else was faster. */
int32_t state(void) {
    const trilby_str store = TRILBY("statestore"), key = TRILBY("log");
    char value[4096], etag[64], buf[256];
    int32_t result = TRILBY_CONFLICT;
    for (int attempt = 0; attempt < 100 && result == TRILBY_CONFLICT; attempt++) {
        int32_t seen = trilby_state_get(store, key, TRILBY_DEFAULTS);
        if (seen < 0) {
            return seen;
        }
        int32_t etag_len = trilby_header(seen, TRILBY("etag"), etag, sizeof etag);
        int32_t len = trilby_take(seen, value, sizeof value - 1);
        if (len < 0) {
            return len;
        }
        value[len++] = '.';
        trilby_out options = trilby_out_to(buf, sizeof buf);
        /* Without an etag: only if the key still is missing. */
        trilby_option(&options, TRILBY("concurrency"), TRILBY("first-write"));
        if (etag_len > 0 && (size_t)etag_len <= sizeof etag) {
            trilby_option(&options, TRILBY("etag"), trilby_bytes(etag, (size_t)etag_len));
        }
        trilby_option(&options, TRILBY("metadata.ttlInSeconds"), TRILBY("3600"));
        result = trilby_state_set(store, key, trilby_out_str(&options),
                                  trilby_bytes(value, (size_t)len));
    }
    return result;
}

/* Both or none. */
int32_t transaction(void) {
    char buf[512];
    trilby_out steps = trilby_out_to(buf, sizeof buf);
    trilby_record_text(&steps, TRILBY("operation"), TRILBY("upsert"));
    trilby_record_text(&steps, TRILBY("key"), TRILBY("order-1"));
    trilby_record_text(&steps, TRILBY("value"), TRILBY("{\"paid\": true}"));
    trilby_record_end(&steps);
    trilby_record_text(&steps, TRILBY("operation"), TRILBY("delete"));
    trilby_record_text(&steps, TRILBY("key"), TRILBY("cart-1"));
    trilby_record_end(&steps);
    return trilby_state_transact(TRILBY("statestore"), TRILBY_DEFAULTS, trilby_out_str(&steps));
}

int32_t pubsub(void) {
    return trilby_pubsub_publish(TRILBY("pubsub"), TRILBY("orders"),
                                 TRILBY("content-type: application/json\n"),
                                 TRILBY("{\"order\": 1}"));
}

int32_t binding(char *answer, size_t cap) {
    return trilby_take(trilby_binding_invoke(TRILBY("files"), TRILBY("create"),
                                             TRILBY("metadata.fileName: report.txt\n"),
                                             TRILBY("all is well")),
                       answer, cap);
}

/* Calls another app, and copies its answer as it comes. */
int32_t invoke(void) {
    char piece[4096], status[4];
    int32_t handle = trilby_invoke_call(TRILBY("stock"), TRILBY("items/17"),
                                        TRILBY("verb: GET\nquery: full=1\n"), TRILBY_DEFAULTS);
    if (handle < 0) {
        return handle;
    }
    int32_t len = trilby_header(handle, TRILBY("status"), status, sizeof status);
    printf("Status: %.*s\n\n", len, status);
    while ((len = trilby_read(handle, piece, sizeof piece)) > 0) {
        fwrite(piece, 1, (size_t)len, stdout);
    }
    trilby_close(handle);
    return len;
}

/* Encrypts standard input. The answer is read once all is written. */
int32_t crypto(char *envelope, size_t cap) {
    char piece[4096];
    size_t len;
    int32_t handle = trilby_crypto_encrypt_open(TRILBY("vault"), TRILBY("key"),
                                                TRILBY("algorithm: RSA-OAEP-256\n"));
    if (handle < 0) {
        return handle;
    }
    int32_t result = 0;
    while (result >= 0 && (len = fread(piece, 1, sizeof piece, stdin)) > 0) {
        result = trilby_write(handle, trilby_bytes(piece, len));
    }
    if (result >= 0) {
        result = trilby_end(handle);
    }
    if (result >= 0) {
        result = trilby_read_all(handle, envelope, cap);
    }
    trilby_close(handle);
    return result;
}

int32_t secret(char *password, size_t cap) {
    int32_t handle = trilby_secret_get(TRILBY("secrets"), TRILBY("database"), TRILBY_DEFAULTS);
    if (handle < 0) {
        return handle;
    }
    int32_t len = trilby_header(handle, TRILBY("value.password"), password, cap);
    trilby_close(handle);
    return len;
}

/* All configuration that is granted. */
int32_t configuration(void) {
    char body[4096], key[64], value[256];
    int32_t len = trilby_take(
        trilby_configuration_get(TRILBY("settings"), TRILBY_DEFAULTS, TRILBY_DEFAULTS), body,
        sizeof body);
    trilby_str record, list = trilby_bytes(body, len < 0 ? 0 : (size_t)len);
    while (trilby_next_record(&list, &record)) {
        int32_t key_len = trilby_field(record, TRILBY("key"), key, sizeof key);
        int32_t value_len = trilby_field(record, TRILBY("value"), value, sizeof value);
        if (key_len >= 0 && value_len >= 0) {
            printf("%.*s = %.*s\n", key_len, key, value_len, value);
        }
    }
    return len < 0 ? len : 0;
}

int32_t lock(void) {
    const trilby_str store = TRILBY("locks"), what = TRILBY("report"), owner = TRILBY("me");
    int32_t result = trilby_lock_try_lock(store, what, owner, TRILBY("expiry: 60\n"));
    if (result == TRILBY_CONFLICT) {
        return 0; /* Somebody else does it. */
    }
    if (result < 0) {
        return result;
    }
    /* What only one may do at a time. */
    return trilby_lock_unlock(store, what, owner, TRILBY_DEFAULTS);
}

int32_t jobs(void) {
    return trilby_jobs_schedule(TRILBY("nightly"),
                                TRILBY("schedule: 0 30 3 * * *\noverwrite: true\n"),
                                TRILBY("report"));
}

int32_t conversation(char *answer, size_t cap) {
    const trilby_str request = TRILBY(
        "{\"inputs\": [{\"messages\": [{\"ofUser\": {\"content\": [{\"text\": \"hello\"}]}}]}]}");
    return trilby_take(
        trilby_conversation_converse(TRILBY("model"), TRILBY_DEFAULTS, request), answer, cap);
}

int32_t actor(char *answer, size_t cap) {
    return trilby_take(trilby_actor_invoke(TRILBY("Thermostat"), TRILBY("kitchen"),
                                           TRILBY("temperature"), TRILBY_DEFAULTS,
                                           TRILBY_DEFAULTS),
                       answer, cap);
}

int32_t metadata(char *answer, size_t cap) {
    return trilby_take(trilby_metadata_get(TRILBY_DEFAULTS), answer, cap);
}

/* An rpc without a function of its own: the message has field 1, the actors' type. */
int32_t any_rpc(char *answer, size_t cap) {
    return trilby_take(trilby_dapr_call(TRILBY("ListActorReminders"), TRILBY_DEFAULTS,
                                        TRILBY("\x0a\x0aThermostat")),
                       answer, cap);
}
