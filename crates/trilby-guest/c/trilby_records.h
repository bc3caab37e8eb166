/* Lists of records for trilby.h: JSON objects, one on each line.
 *
 * They are written piece by piece into a buffer of the caller's:
 *
 *     char buf[512];
 *     trilby_out list = trilby_out_to(buf, sizeof buf);
 *     trilby_record_text(&list, TRILBY("key"), TRILBY("a"));
 *     trilby_record_text(&list, TRILBY("value"), TRILBY("1"));
 *     trilby_record_end(&list);
 *     int32_t result = trilby_state_set_bulk(store, TRILBY_DEFAULTS, trilby_out_str(&list));
 *
 * and read one after the other:
 *
 *     trilby_str list = trilby_bytes(body, body_len), record;
 *     while (trilby_next_record(&list, &record)) {
 *         int32_t length = trilby_field(record, TRILBY("key"), key, sizeof key);
 *         ...
 *     } */

#ifndef TRILBY_RECORDS_H
#define TRILBY_RECORDS_H

#include "trilby.h"

/* ---- Writing ---- */

/* Writes a JSON string. Its text must be UTF-8. */
static inline void trilby_put_json(trilby_out *out, trilby_str text) {
    static const char hex[] = "0123456789abcdef";
    trilby_put_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20) {
            trilby_put(out, TRILBY("\\u00"));
            trilby_put_char(out, hex[c >> 4]);
            trilby_put_char(out, hex[c & 15]);
            continue;
        }
        if (c == '"' || c == '\\') {
            trilby_put_char(out, '\\');
        }
        trilby_put_char(out, (char)c);
    }
    trilby_put_char(out, '"');
}

static inline void trilby_record_name(trilby_out *out, trilby_str name) {
    trilby_put_char(out, out->in_record ? ',' : '{');
    out->in_record = true;
    trilby_put_json(out, name);
    trilby_put_char(out, ':');
}

/* Adds a field to the record, such as `key`. The text must be UTF-8. */
static inline void trilby_record_text(trilby_out *out, trilby_str name, trilby_str value) {
    trilby_record_name(out, name);
    trilby_put_json(out, value);
}

/* Adds a field of any bytes, under a name that says so: `value-base64`, `data-base64`. */
static inline void trilby_record_base64(trilby_out *out, trilby_str name, trilby_str value) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    trilby_record_name(out, name);
    trilby_put_char(out, '"');
    for (size_t i = 0; i < value.len; i += 3) {
        size_t left = value.len - i;
        uint32_t three = (uint32_t)(unsigned char)value.ptr[i] << 16;
        three |= left > 1 ? (uint32_t)(unsigned char)value.ptr[i + 1] << 8 : 0;
        three |= left > 2 ? (uint32_t)(unsigned char)value.ptr[i + 2] : 0;
        trilby_put_char(out, digits[three >> 18]);
        trilby_put_char(out, digits[three >> 12 & 63]);
        trilby_put_char(out, left > 1 ? digits[three >> 6 & 63] : '=');
        trilby_put_char(out, left > 2 ? digits[three & 63] : '=');
    }
    trilby_put_char(out, '"');
}

/* Adds a field that is JSON already, such as an object of metadata. */
static inline void trilby_record_json(trilby_out *out, trilby_str name, trilby_str json) {
    trilby_record_name(out, name);
    trilby_put(out, json);
}

/* Ends the record. */
static inline void trilby_record_end(trilby_out *out) {
    trilby_put(out, out->in_record ? TRILBY("}\n") : TRILBY("{}\n"));
    out->in_record = false;
}

/* ---- Reading ---- */

/* Takes the first record off a list. False at the list's end. */
static inline bool trilby_next_record(trilby_str *list, trilby_str *record) {
    while (list->len > 0) {
        size_t end = 0;
        while (end < list->len && list->ptr[end] != '\n') {
            end++;
        }
        *record = trilby_bytes(list->ptr, end);
        size_t taken = end < list->len ? end + 1 : end;
        *list = trilby_bytes(list->ptr + taken, list->len - taken);
        if (end > 0) {
            return true;
        }
    }
    return false;
}

/* Where the JSON string that begins at `at` ends, behind its quote; 0 if it does not end. */
static inline size_t trilby_json_string_end(trilby_str json, size_t at) {
    for (size_t i = at + 1; i < json.len; i++) {
        if (json.ptr[i] == '\\') {
            i++;
        } else if (json.ptr[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

/* Where the value that begins at `at` ends; 0 if it does not end. */
static inline size_t trilby_json_value_end(trilby_str json, size_t at) {
    size_t depth = 0;
    for (size_t i = at; i < json.len;) {
        char c = json.ptr[i];
        if (c == '"') {
            i = trilby_json_string_end(json, i);
            if (i == 0) {
                return 0;
            }
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}')) {
            return i;
        }
        if (depth == 0 && c == ']') {
            return 0;
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
        }
        i++;
    }
    return 0;
}

static inline size_t trilby_json_blank(trilby_str json, size_t at) {
    while (at < json.len && (json.ptr[at] == ' ' || json.ptr[at] == '\t' || json.ptr[at] == '\r')) {
        at++;
    }
    return at;
}

/* A field of a record as it stands there, a string with its quotes. False if there is none.
 * `name` is compared with names as they are written: those of the ABI have nothing to escape. */
static inline bool trilby_field_json(trilby_str record, trilby_str name, trilby_str *json) {
    size_t at = trilby_json_blank(record, 0);
    while (at < record.len && (record.ptr[at] == '{' || record.ptr[at] == ',')) {
        size_t key = trilby_json_blank(record, at + 1);
        if (key == record.len || record.ptr[key] != '"') {
            return false;
        }
        size_t key_end = trilby_json_string_end(record, key);
        if (key_end == 0) {
            return false;
        }
        size_t value = trilby_json_blank(record, key_end);
        if (value == record.len || record.ptr[value] != ':') {
            return false;
        }
        value = trilby_json_blank(record, value + 1);
        size_t end = trilby_json_value_end(record, value);
        if (end == 0) {
            return false;
        }
        if (trilby_equal(trilby_bytes(record.ptr + key + 1, key_end - key - 2), name)) {
            while (end > value && record.ptr[end - 1] == ' ') {
                end--;
            }
            *json = trilby_bytes(record.ptr + value, end - value);
            return true;
        }
        at = end;
    }
    return false;
}

/* The four hexadecimal digits of an escape; -1 if they are none. */
static inline int32_t trilby_json_hex(trilby_str json, size_t at) {
    int32_t code = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < json.len ? json.ptr[i] : 'x';
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

static inline void trilby_put_utf8(trilby_out *out, uint32_t code) {
    if (code < 0x80) {
        trilby_put_char(out, (char)code);
        return;
    }
    if (code < 0x800) {
        trilby_put_char(out, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            trilby_put_char(out, (char)(0xe0 | code >> 12));
        } else {
            trilby_put_char(out, (char)(0xf0 | code >> 18));
            trilby_put_char(out, (char)(0x80 | (code >> 12 & 63)));
        }
        trilby_put_char(out, (char)(0x80 | (code >> 6 & 63)));
    }
    trilby_put_char(out, (char)(0x80 | (code & 63)));
}

/* Writes what the escape at `at` stands for, and gives where it ends; 0 if it is none. */
static inline size_t trilby_json_unescape(trilby_str json, size_t at, trilby_out *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = at + 1 < json.len ? json.ptr[at + 1] : 'x';
    for (size_t i = 0; i < sizeof from - 1; i++) {
        if (c == from[i]) {
            trilby_put_char(out, to[i]);
            return at + 2;
        }
    }
    int32_t high = c == 'u' ? trilby_json_hex(json, at + 2) : -1;
    if (high < 0) {
        return 0;
    }
    at += 6;
    if (high < 0xd800 || high > 0xdfff) {
        trilby_put_utf8(out, (uint32_t)high);
        return at;
    }
    /* A pair of surrogates; half of one stands for no character. */
    bool pair = at + 1 < json.len && json.ptr[at] == '\\' && json.ptr[at + 1] == 'u';
    int32_t low = pair ? trilby_json_hex(json, at + 2) : -1;
    if (high > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return 0;
    }
    trilby_put_utf8(out, 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
    return at + 6;
}

/* The length of a field that is a string, which is written to `buf` without quotes and escapes.
 * TRILBY_NOT_FOUND if there is none, TRILBY_OUT_OF_RANGE if it is longer than `cap`,
 * TRILBY_INVALID_ARGUMENT if it is no string. */
static inline int32_t trilby_field(trilby_str record, trilby_str name, char *buf, size_t cap) {
    trilby_str json;
    if (!trilby_field_json(record, name, &json)) {
        return TRILBY_NOT_FOUND;
    }
    if (json.len < 2 || json.ptr[0] != '"') {
        return TRILBY_INVALID_ARGUMENT;
    }
    trilby_out out = trilby_out_to(buf, cap);
    for (size_t i = 1; i < json.len - 1;) {
        if (json.ptr[i] != '\\') {
            trilby_put_char(&out, json.ptr[i++]);
            continue;
        }
        i = trilby_json_unescape(json, i, &out);
        if (i == 0) {
            return TRILBY_INVALID_ARGUMENT;
        }
    }
    return out.bad ? TRILBY_OUT_OF_RANGE : (int32_t)out.len;
}

/* Decodes standard base64 in place, and gives the length; TRILBY_INVALID_ARGUMENT if it is none. */
static inline int32_t trilby_unbase64(char *buf, size_t len) {
    size_t made = 0;
    uint32_t bits = 0, count = 0;
    if (len % 4 != 0) {
        return TRILBY_INVALID_ARGUMENT;
    }
    while (len > 0 && buf[len - 1] == '=') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        char c = buf[i];
        int32_t digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                        : c >= 'a' && c <= 'z' ? c - 'a' + 26
                        : c >= '0' && c <= '9' ? c - '0' + 52
                        : c == '+'             ? 62
                        : c == '/'             ? 63
                                               : -1;
        if (digit < 0) {
            return TRILBY_INVALID_ARGUMENT;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            buf[made++] = (char)(bits >> count & 0xff);
        }
    }
    return (int32_t)made;
}

/* As `trilby_field` for bytes, which are text under `name`, or base64 under `name_base64`. The
 * buffer must have room for the base64. */
static inline int32_t trilby_field_bytes(
    trilby_str record, trilby_str name, trilby_str name_base64, char *buf, size_t cap) {
    int32_t length = trilby_field(record, name, buf, cap);
    if (length != TRILBY_NOT_FOUND) {
        return length;
    }
    length = trilby_field(record, name_base64, buf, cap);
    return length < 0 ? length : trilby_unbase64(buf, (size_t)length);
}

#endif
