/* Drives every function of the C headers from a test. tests/guests/dapr-go does the same for Go.
 *
 * The path is block/function as in the table below. The query has the targets under the table's
 * names; all else in it are options. The body is the value, the data, the request or the records;
 * the functions `open` get it in pieces of 1000 bytes.
 *
 * The answer is 200 and the answer's body; the answer's headers have `Answer-` in front of their
 * names. Records have the ABI's fields. An error is 418 and
 *
 *     KIND CODE REASON
 *     message
 *
 * where KIND is conflict, not-found, denied, unavailable, deadline or other, as the headers tell
 * it, and REASON is - if there is none. What is not in the table is 400. */

#include <stdio.h>
#include <string.h>

#include "driver.h"

/* What goes behind the options. */
typedef enum { NOTHING, DATA, RECORDS, PIECES } input;
/* What comes back. */
typedef enum { DONE, BODY, LIST } output;

typedef union {
    int32_t (*one)(trilby_str);
    int32_t (*two)(trilby_str, trilby_str);
    int32_t (*three)(trilby_str, trilby_str, trilby_str);
    int32_t (*four)(trilby_str, trilby_str, trilby_str, trilby_str);
    int32_t (*five)(trilby_str, trilby_str, trilby_str, trilby_str, trilby_str);
} function;

typedef struct {
    const char *name;
    /* The targets; behind them go the options and, unless there is none, the input. */
    const char *targets[4];
    input in;
    output out;
    function call;
} operation;

static const operation table[] = {
    {"state/get", {"store", "key"}, NOTHING, BODY, {.three = trilby_state_get}},
    {"state/set", {"store", "key"}, DATA, DONE, {.four = trilby_state_set}},
    {"state/delete", {"store", "key"}, NOTHING, DONE, {.three = trilby_state_delete}},
    {"state/get_bulk", {"store"}, RECORDS, LIST, {.three = trilby_state_get_bulk}},
    {"state/set_bulk", {"store"}, RECORDS, DONE, {.three = trilby_state_set_bulk}},
    {"state/delete_bulk", {"store"}, RECORDS, DONE, {.three = trilby_state_delete_bulk}},
    {"state/transact", {"store"}, RECORDS, DONE, {.three = trilby_state_transact}},
    {"state/query", {"store"}, DATA, LIST, {.three = trilby_state_query}},
    {"pubsub/publish", {"pubsub", "topic"}, DATA, DONE, {.four = trilby_pubsub_publish}},
    {"pubsub/publish_bulk",
     {"pubsub", "topic"}, RECORDS, LIST, {.four = trilby_pubsub_publish_bulk}},
    {"binding/invoke", {"binding", "operation"}, DATA, BODY, {.four = trilby_binding_invoke}},
    {"invoke/call", {"app", "method"}, DATA, BODY, {.four = trilby_invoke_call}},
    {"invoke/open", {"app", "method"}, PIECES, BODY, {.three = trilby_invoke_open}},
    {"secret/get", {"store", "key"}, NOTHING, BODY, {.three = trilby_secret_get}},
    {"secret/get_bulk", {"store"}, NOTHING, LIST, {.two = trilby_secret_get_bulk}},
    {"configuration/get", {"store"}, RECORDS, LIST, {.three = trilby_configuration_get}},
    {"lock/try_lock",
     {"store", "resource", "owner"}, NOTHING, DONE, {.four = trilby_lock_try_lock}},
    {"lock/unlock", {"store", "resource", "owner"}, NOTHING, DONE, {.four = trilby_lock_unlock}},
    {"jobs/schedule", {"name"}, DATA, DONE, {.three = trilby_jobs_schedule}},
    {"jobs/get", {"name"}, NOTHING, BODY, {.two = trilby_jobs_get}},
    {"jobs/delete", {"name"}, NOTHING, DONE, {.two = trilby_jobs_delete}},
    {"jobs/list", {NULL}, NOTHING, LIST, {.one = trilby_jobs_list}},
    {"crypto/encrypt", {"component", "key"}, DATA, BODY, {.four = trilby_crypto_encrypt}},
    {"crypto/decrypt", {"component", "key"}, DATA, BODY, {.four = trilby_crypto_decrypt}},
    {"crypto/encrypt_open",
     {"component", "key"}, PIECES, BODY, {.three = trilby_crypto_encrypt_open}},
    {"crypto/decrypt_open",
     {"component", "key"}, PIECES, BODY, {.three = trilby_crypto_decrypt_open}},
    {"conversation/converse", {"component"}, DATA, BODY, {.three = trilby_conversation_converse}},
    {"actor/invoke", {"type", "id", "method"}, DATA, BODY, {.five = trilby_actor_invoke}},
    {"actor/get_state", {"type", "id", "key"}, NOTHING, BODY, {.four = trilby_actor_get_state}},
    {"actor/transact_state", {"type", "id"}, RECORDS, DONE, {.four = trilby_actor_transact_state}},
    {"actor/register_reminder",
     {"type", "id", "name"}, DATA, DONE, {.five = trilby_actor_register_reminder}},
    {"actor/get_reminder",
     {"type", "id", "name"}, NOTHING, BODY, {.four = trilby_actor_get_reminder}},
    {"actor/unregister_reminder",
     {"type", "id", "name"}, NOTHING, DONE, {.four = trilby_actor_unregister_reminder}},
    {"actor/register_timer",
     {"type", "id", "name"}, DATA, DONE, {.five = trilby_actor_register_timer}},
    {"actor/unregister_timer",
     {"type", "id", "name"}, NOTHING, DONE, {.four = trilby_actor_unregister_timer}},
    {"metadata/get", {NULL}, NOTHING, BODY, {.one = trilby_metadata_get}},
    {"metadata/set", {"key", "value"}, NOTHING, DONE, {.three = trilby_metadata_set}},
    {"dapr/call", {"method"}, DATA, BODY, {.three = trilby_dapr_call}},
};

static char options[64 * 1024];
static char records[LIST_MAX];
static char answer[BODY_MAX];
static char headers[64 * 1024];

static int32_t call(const operation *what, request *asked) {
    trilby_str args[5];
    size_t count = 0;
    while (count < 4 && what->targets[count]) {
        args[count] = take(asked, what->targets[count]);
        count++;
    }
    trilby_out block = trilby_out_to(options, sizeof options);
    for (size_t i = 0; i < asked->count; i++) {
        if (!asked->fields[i].taken) {
            trilby_option(&block, asked->fields[i].name, asked->fields[i].value);
        }
    }
    args[count++] = trilby_out_str(&block);
    trilby_out list = trilby_out_to(records, sizeof records);
    if (what->in == RECORDS) {
        /* What cannot be read is the host's to refuse. */
        args[count++] = copy_records(asked->body, &list) ? trilby_out_str(&list) : asked->body;
    } else if (what->in == DATA) {
        args[count++] = asked->body;
    }
    switch (count) {
    case 1:
        return what->call.one(args[0]);
    case 2:
        return what->call.two(args[0], args[1]);
    case 3:
        return what->call.three(args[0], args[1], args[2]);
    case 4:
        return what->call.four(args[0], args[1], args[2], args[3]);
    default:
        return what->call.five(args[0], args[1], args[2], args[3], args[4]);
    }
}

/* Sends the body of a stream in pieces. */
static int32_t send_pieces(int32_t handle, trilby_str body) {
    while (body.len > 0) {
        size_t piece = body.len < 1000 ? body.len : 1000;
        int32_t sent = trilby_write(handle, trilby_bytes(body.ptr, piece));
        if (sent < 0) {
            return sent;
        }
        body = trilby_bytes(body.ptr + sent, body.len - (size_t)sent);
    }
    return trilby_end(handle);
}

static void refuse(int32_t result) {
    const char *kind = result == TRILBY_CONFLICT      ? "conflict"
                       : result == TRILBY_NOT_FOUND   ? "not-found"
                       : result == TRILBY_DENIED      ? "denied"
                       : result == TRILBY_UNAVAILABLE ? "unavailable"
                       : result == TRILBY_DEADLINE    ? "deadline"
                                                      : "other";
    trilby_error error;
    trilby_last_error(&error);
    trilby_str reason = error.reason.len > 0 ? error.reason : TRILBY("-");
    printf("Status: 418\nContent-Type: text/plain\n\n%s %s %.*s\n%.*s", kind,
           trilby_code_name(result), (int)reason.len, reason.ptr, (int)error.message.len,
           error.message.ptr);
}

/* The answer's headers as those of the response. */
static int32_t print_headers(int32_t handle) {
    int32_t len = trilby_headers(handle, headers, sizeof headers - 1);
    if (len < 0) {
        return len;
    }
    headers[(size_t)len < sizeof headers ? (size_t)len : sizeof headers - 1] = 0;
    printf("Status: 200\nContent-Type: application/octet-stream\n");
    for (char *line = strtok(headers, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        printf("Answer-%s\n", line);
    }
    printf("\n");
    return 0;
}

static int32_t answer_of(const operation *what, request *asked) {
    int32_t handle = call(what, asked);
    if (handle < 0) {
        return handle;
    }
    if (what->out == DONE) {
        printf("Status: 200\nContent-Type: application/octet-stream\n\n");
        return 0;
    }
    int32_t sent = what->in == PIECES ? send_pieces(handle, asked->body) : 0;
    int32_t len = sent < 0 ? sent : trilby_read_all(handle, answer, sizeof answer);
    if (len < 0) {
        return len;
    }
    trilby_str body = trilby_bytes(answer, (size_t)len);
    trilby_out list = trilby_out_to(records, sizeof records);
    if (what->out == LIST) {
        if (!copy_records(body, &list)) {
            printf("Status: 500\n\nunreadable records\n");
            return 0;
        }
        body = trilby_out_str(&list);
    }
    int32_t told = print_headers(handle);
    if (told < 0) {
        return told;
    }
    fwrite(body.ptr, 1, body.len, stdout);
    return trilby_close(handle);
}

int main(void) {
    static request asked;
    if (!read_request(&asked)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, asked.operation) == 0) {
            int32_t result = answer_of(&table[i], &asked);
            if (result < 0) {
                refuse(result);
            }
            return fflush(stdout) != 0;
        }
    }
    printf("Status: 400\n\nno such operation\n");
    return 0;
}
