/* Answers the environment, a line feed, and the arguments; each string ends with a NUL. */

#include <stdio.h>

extern char **environ;

static void strings(char **all) {
    for (; *all; all++) {
        fputs(*all, stdout);
        putchar('\0');
    }
}

int main(int argc, char **argv) {
    (void)argc;
    fputs("Content-Type: text/plain\n\n", stdout);
    strings(environ);
    putchar('\n');
    strings(argv);
    return fflush(stdout) != 0;
}
