/* Reads the request: CGI, from the environment and standard input. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static char body[BODY_MAX];
static char query[64 * 1024];

static int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes a part of a form in place. */
static trilby_str decode(char *text, size_t len) {
    size_t made = 0;
    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && i + 2 < len ? digit(text[i + 1]) : -1;
        int low = high >= 0 ? digit(text[i + 2]) : -1;
        if (low >= 0) {
            text[made++] = (char)(high * 16 + low);
            i += 2;
        } else {
            text[made++] = text[i] == '+' ? ' ' : text[i];
        }
    }
    return trilby_bytes(text, made);
}

static bool read_query(request *asked) {
    const char *given = getenv("QUERY_STRING");
    size_t len = given ? strlen(given) : 0;
    if (len >= sizeof query) {
        return false;
    }
    memcpy(query, given ? given : "", len + 1);
    for (char *at = query; at < query + len;) {
        size_t whole = strcspn(at, "&"), name = strcspn(at, "=&");
        if (asked->count == sizeof asked->fields / sizeof asked->fields[0]) {
            return false;
        }
        asked->fields[asked->count].name = decode(at, name);
        asked->fields[asked->count].value =
            name < whole ? decode(at + name + 1, whole - name - 1) : TRILBY("");
        asked->count++;
        at += whole + 1;
    }
    return true;
}

bool read_request(request *asked) {
    const char *path = getenv("PATH_INFO");
    asked->operation = path && path[0] == '/' ? path + 1 : "";
    size_t len = fread(body, 1, sizeof body, stdin);
    if (len == sizeof body || ferror(stdin) || !read_query(asked)) {
        printf("Status: 400\n\nthe request is too large\n");
        return false;
    }
    asked->body = trilby_bytes(body, len);
    return true;
}

trilby_str take(request *asked, const char *name) {
    for (size_t i = 0; i < asked->count; i++) {
        if (trilby_equal(asked->fields[i].name, trilby_text(name))) {
            asked->fields[i].taken = true;
            return asked->fields[i].value;
        }
    }
    return TRILBY("");
}
