/* Tests of the headers, outside of WebAssembly and with a host made up here:
 *
 *     cc -std=c11 -Wall -Wextra -Wconversion -Werror -o test test.c && ./test */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trilby_records.h"

static int failed;

static void check(bool good, int line, const char *what) {
    if (!good) {
        fprintf(stderr, "test.c:%d: %s\n", line, what);
        failed = 1;
    }
}

#define CHECK(what) check(what, __LINE__, #what)

/* ---- The host: one answer, which comes in pieces of three bytes ---- */

static const char *body = "";
static const char *about = "";
static char seen[256];
static int closed;

static int32_t fill(const char *text, char *buf, size_t cap) {
    size_t len = strlen(text);
    memcpy(buf, text, len < cap ? len : cap);
    return (int32_t)len;
}

int32_t trilby_raw_header(int32_t handle, const char *name, size_t len, char *buf, size_t cap) {
    (void)handle, (void)name, (void)len;
    return fill("7", buf, cap);
}

int32_t trilby_raw_headers(int32_t handle, char *buf, size_t cap) {
    (void)handle;
    return fill("etag: 7\n", buf, cap);
}

int32_t trilby_raw_read(int32_t handle, char *buf, size_t cap) {
    if (handle != 5) {
        return TRILBY_INVALID_ARGUMENT;
    }
    size_t len = strlen(body);
    len = len < 3 ? len : 3;
    len = len < cap ? len : cap;
    memcpy(buf, body, len);
    body += len;
    return (int32_t)len;
}

int32_t trilby_raw_size(int32_t handle) {
    (void)handle;
    return (int32_t)strlen(body);
}

int32_t trilby_raw_close(int32_t handle) {
    (void)handle;
    closed++;
    return 0;
}

int32_t trilby_raw_write(int32_t handle, const char *data, size_t len) {
    (void)handle, (void)data;
    return (int32_t)len;
}

int32_t trilby_raw_end(int32_t handle) {
    (void)handle;
    return 0;
}

int32_t trilby_raw_error(char *buf, size_t cap) {
    return fill(about, buf, cap);
}

int32_t trilby_raw_state_set(const char *store, size_t store_len, const char *key, size_t key_len,
                             const char *options, size_t options_len, const char *value,
                             size_t value_len) {
    snprintf(seen, sizeof seen, "%.*s|%.*s|%.*s|%.*s", (int)store_len, store, (int)key_len, key,
             (int)options_len, options, (int)value_len, value);
    return 0;
}

/* ---- Tests ---- */

static bool is(trilby_str text, const char *expected) {
    return trilby_equal(text, trilby_text(expected));
}

static void calls_pass_their_strings(void) {
    char buf[64];
    trilby_out options = trilby_out_to(buf, sizeof buf);
    trilby_option(&options, TRILBY("etag"), trilby_text("7"));
    trilby_option(&options, TRILBY("metadata.ttlInSeconds"), TRILBY("60"));
    trilby_state_set(TRILBY("s"), TRILBY("k"), trilby_out_str(&options), trilby_bytes("value", 3));
    CHECK(strcmp(seen, "s|k|etag: 7\nmetadata.ttlInSeconds: 60\n|val") == 0);
}

static void an_option_cannot_smuggle_in_another(void) {
    const trilby_str odd[][2] = {
        {TRILBY("a"), TRILBY("1\netag: 2")}, {TRILBY("a"), TRILBY("1\r")},
        {TRILBY("a:b"), TRILBY("1")},        {TRILBY(""), TRILBY("1")},
        {TRILBY("a"), TRILBY("too long for the buffer that is there")},
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char buf[16];
        trilby_out options = trilby_out_to(buf, sizeof buf);
        trilby_option(&options, odd[i][0], odd[i][1]);
        CHECK(is(trilby_out_str(&options), "!\n"));
    }
}

static void answers_are_read_whole(void) {
    char buf[8];
    body = "a value";
    CHECK(trilby_take(5, buf, sizeof buf) == 7 && memcmp(buf, "a value", 7) == 0);
    body = "8 bytes.";
    CHECK(trilby_take(5, buf, sizeof buf) == 8);
    body = "9 bytes..";
    CHECK(trilby_take(5, buf, sizeof buf) == TRILBY_OUT_OF_RANGE);
    CHECK(closed == 3);
    CHECK(trilby_take(TRILBY_DENIED, buf, sizeof buf) == TRILBY_PERMISSION_DENIED && closed == 3);
    CHECK(trilby_take(6, buf, sizeof buf) == TRILBY_INVALID_ARGUMENT && closed == 4);
}

static void errors_are_taken_apart(void) {
    trilby_error error;
    about = "code: 10\nname: ABORTED\nreason: ERR_STATE_SAVE\n\nlost: a\n\nb";
    trilby_last_error(&error);
    CHECK(is(error.reason, "ERR_STATE_SAVE") && is(error.message, "lost: a\n\nb"));
    about = "code: 10\n\n";
    trilby_last_error(&error);
    CHECK(is(error.reason, "") && is(error.message, ""));
    about = "";
    trilby_last_error(&error);
    CHECK(is(error.reason, "") && is(error.message, ""));
    char *text = malloc(3000);
    memset(text, 'x', 2999);
    memcpy(text, "reason: R\n\n", 11);
    text[2999] = 0;
    about = text;
    trilby_last_error(&error);
    CHECK(is(error.reason, "R") && error.message.len == sizeof error.text - 11);
    free(text);
    CHECK(strcmp(trilby_code_name(TRILBY_CONFLICT), "ABORTED") == 0);
    CHECK(strcmp(trilby_code_name(-17), "UNKNOWN") == 0);
    CHECK(strcmp(trilby_code_name(INT32_MIN), "UNKNOWN") == 0);
}

static void records_are_written(void) {
    char buf[256];
    trilby_out list = trilby_out_to(buf, sizeof buf);
    trilby_record_text(&list, TRILBY("key"), TRILBY("\"\\\n\x1f\xc3\xa9"));
    trilby_record_base64(&list, TRILBY("value-base64"), trilby_bytes("\xff\0", 2));
    trilby_record_json(&list, TRILBY("metadata"), TRILBY("{}"));
    trilby_record_end(&list);
    trilby_record_end(&list);
    CHECK(is(trilby_out_str(&list),
             "{\"key\":\"\\\"\\\\\\u000a\\u001f\xc3\xa9\",\"value-base64\":\"/wA=\","
             "\"metadata\":{}}\n{}\n"));
}

static void records_are_read(void) {
    trilby_str record, list = TRILBY(
        "{ \"metadata\" : {\"key\":\"no}\",\"l\":[1,{}]} , "
        "\"key\": \"a\\u00e9\\ud83d\\ude00\\n\\\"\" }\n\n"
        "{\"value-base64\":\"/wA=\",\"repeats\":3}");
    char buf[32];
    CHECK(trilby_next_record(&list, &record));
    int32_t length = trilby_field(record, TRILBY("key"), buf, sizeof buf);
    CHECK(length > 0 && is(trilby_bytes(buf, (size_t)length), "a\xc3\xa9\xf0\x9f\x98\x80\n\""));
    CHECK(trilby_field(record, TRILBY("key"), buf, 4) == TRILBY_OUT_OF_RANGE);
    CHECK(trilby_field(record, TRILBY("l"), buf, sizeof buf) == TRILBY_NOT_FOUND);
    CHECK(trilby_field(record, TRILBY("metadata"), buf, sizeof buf) == TRILBY_INVALID_ARGUMENT);
    CHECK(trilby_next_record(&list, &record));
    length = trilby_field_bytes(record, TRILBY("value"), TRILBY("value-base64"), buf, sizeof buf);
    CHECK(length == 2 && memcmp(buf, "\xff\0", 2) == 0);
    trilby_str json;
    CHECK(trilby_field_json(record, TRILBY("repeats"), &json) && is(json, "3"));
    CHECK(!trilby_next_record(&list, &record));
}

/* Each part of a good record is no good record, and is not read beyond its end. */
static void broken_records_are_refused(void) {
    static const char good[] = "{\"a\":[\"\\\"\"],\"key\":\"\\ud83d\\ude00\"}";
    char buf[32];
    for (size_t len = 0; len < sizeof good - 2; len++) {
        char *part = malloc(len + 1);
        memcpy(part, good, len);
        int32_t result = trilby_field(trilby_bytes(part, len), TRILBY("key"), buf, sizeof buf);
        CHECK(result == TRILBY_NOT_FOUND || result == TRILBY_INVALID_ARGUMENT);
        free(part);
    }
    static const char *const odd[] = {
        "{\"key\":\"\\x\"}", "{\"key\":\"\\u12g4\"}", "{\"key\":\"\\ud83d\"}",
        "{\"key\":\"\\ude00\"}",
        "{\"key\":]}", "[]", "{\"key\"}", "{key:1}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        CHECK(trilby_field(trilby_text(odd[i]), TRILBY("key"), buf, sizeof buf) < 0);
    }
    char base64[] = "/w=\n";
    CHECK(trilby_unbase64(base64, 4) == TRILBY_INVALID_ARGUMENT);
    CHECK(trilby_unbase64(base64, 3) == TRILBY_INVALID_ARGUMENT);
}

int main(void) {
    calls_pass_their_strings();
    an_option_cannot_smuggle_in_another();
    answers_are_read_whole();
    errors_are_taken_apart();
    records_are_written();
    records_are_read();
    broken_records_are_refused();
    return failed;
}
