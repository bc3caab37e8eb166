/* Lists of records, in and out. */

#include "driver.h"

static char field[BODY_MAX];
static char base64[LIST_MAX];

/* All fields that records of the ABI have and that are text. */
static const char *const texts[] = {
    "operation", "key",          "id",       "name",     "etag",  "version", "concurrency",
    "consistency", "content-type", "schedule", "due-time", "ttl",   "error",
};
/* Those that are JSON of another kind. */
static const char *const jsons[] = {"metadata", "values", "repeats"};

static bool copy_bytes(
    trilby_str record, trilby_out *out, trilby_str name, trilby_str name_base64) {
    trilby_str json;
    bool text = trilby_field_json(record, name, &json);
    if (!text && !trilby_field_json(record, name_base64, &json)) {
        return true;
    }
    int32_t len = trilby_field_bytes(record, name, name_base64, base64, sizeof base64);
    if (len < 0) {
        return false;
    }
    if (text) {
        trilby_record_text(out, name, trilby_bytes(base64, (size_t)len));
    } else {
        trilby_record_base64(out, name_base64, trilby_bytes(base64, (size_t)len));
    }
    return true;
}

static bool copy_record(trilby_str record, trilby_out *out) {
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        trilby_str name = trilby_text(texts[i]);
        int32_t len = trilby_field(record, name, field, sizeof field);
        if (len >= 0) {
            trilby_record_text(out, name, trilby_bytes(field, (size_t)len));
        } else if (len != TRILBY_NOT_FOUND) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof jsons / sizeof jsons[0]; i++) {
        trilby_str json, name = trilby_text(jsons[i]);
        if (trilby_field_json(record, name, &json)) {
            trilby_record_json(out, name, json);
        }
    }
    return copy_bytes(record, out, TRILBY("value"), TRILBY("value-base64")) &&
           copy_bytes(record, out, TRILBY("data"), TRILBY("data-base64"));
}

bool copy_records(trilby_str list, trilby_out *out) {
    trilby_str record;
    while (trilby_next_record(&list, &record)) {
        if (!copy_record(record, out)) {
            return false;
        }
        trilby_record_end(out);
    }
    return true;
}
