/* What the files of this guest share. */

#include "trilby_records.h"

/* A body may have 4 MiB; as base64 in a record it is longer. */
#define BODY_MAX (5u << 20)
#define LIST_MAX (8u << 20)

/* What the request asks for. */
typedef struct {
    /* The path, without its first slash. */
    const char *operation;
    trilby_str body;
    /* Names and values of the query, decoded. */
    struct {
        trilby_str name, value;
        bool taken;
    } fields[32];
    size_t count;
} request;

/* Reads the request. False, after an answer, if it is none for this guest. */
bool read_request(request *asked);

/* The value of a field of the query, which is struck off; empty if there is none. */
trilby_str take(request *asked, const char *name);

/* Writes a list again as this guest reads it: every field of every record, through the headers'
 * scanner and writer. False if it cannot be read. */
bool copy_records(trilby_str list, trilby_out *out);
