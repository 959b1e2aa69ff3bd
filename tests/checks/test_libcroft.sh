#!/bin/sh
# where: here
# The shared library exports what its headers declare and nothing else, and a program can be built against it as installed.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
library=$BUILD/src/lib/libcroft.so

declared=$(cd "$t_top/include/croft" && grep -ohE '\bcroft_[a-z_]+\(' croft.h devid.h error.h errlog.h stats.h | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort -u)
t_is "exported is what the headers declare" "$exported" "$declared"
t_is "nothing but functions is exported" "$(nm -D --defined-only "$library" | awk '$2 != "T" && $3 !~ /^CROFT_0/')" ""
t_like "its name for the loader is libcroft.so.0" "$(readelf -d "$library")" 'SONAME.*\[libcroft\.so\.0\]'

mkdir "$T/include"
cp -r "$t_top/include/croft" "$T/include/"
cat >"$T/list.c" <<'C'
#include <croft/croft.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_client *client;
        char *json, line[512];

        if (croft_client_open(NULL, &client, &err) < 0)
                return 100;
        if (croft_client_request(client, "GET", "/v1/partitions", NULL, &json, &err) < 0) {
                puts(croft_error_line(&err, line, sizeof(line)));
                croft_client_close(client);
                return croft_error_exit(&err);
        }
        free(json);
        croft_client_close(client);
        return 0;
}
C
t_ok "a program of plain C11 builds against it" cc -std=c11 -Wall -Wextra -Werror -pedantic -I"$T/include" -o "$T/list" "$T/list.c" \
        -L"$(dirname "$library")" -lcroft
t_is "it runs, and says that croftd doesn't" "$(LD_LIBRARY_PATH=$(dirname "$library") "$T/list" || echo "status $?")" \
        "croftd isn't running at $CROFT_SOCKET (start it with: systemctl start croftd)
status 1"
t_fails_with 1 "the command line says so, too" croft list
t_is "in one line" "$(cat "$T/error")" "croft: croftd isn't running at $CROFT_SOCKET (start it with: systemctl start croftd)"
t_done
