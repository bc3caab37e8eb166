/* Answers what it reads, under headers that end their lines with CR LF. Ends through `exit`, which
 * is `proc_exit(0)` to the host. */

#include <stdio.h>
#include <stdlib.h>

int main(void) {
    static char piece[16 * 1024];
    size_t count;
    fputs("Content-Type: application/octet-stream\r\n\r\n", stdout);
    while ((count = fread(piece, 1, sizeof piece, stdin)) > 0) {
        if (fwrite(piece, 1, count, stdout) != count) {
            exit(EXIT_FAILURE);
        }
    }
    exit(ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}
