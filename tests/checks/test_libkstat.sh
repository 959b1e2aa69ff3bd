#!/bin/sh
# where: here
# libkstat exports the functions of <kstat.h> and nothing else, needs nothing but the C library, and programs build against it
# as installed.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
library=$BUILD/libkstat.so

declared=$(grep -ohE '\bkstat_[a-z_]+\(' "$t_top/include/kstat.h" | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort -u)
t_is "exported is what the header declares, the seven functions" "$exported" "$declared"
t_is "they are seven" "$(printf '%s\n' "$exported" | wc -l)" 7
t_is "nothing but functions is exported" "$(nm -D --defined-only "$library" | awk '$2 != "T" && $3 !~ /^KSTAT_1/')" ""
t_like "its name for the loader is libkstat.so.1" "$(readelf -d "$library")" 'SONAME.*\[libkstat\.so\.1\]'
t_is "it needs the C library alone" "$(readelf -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')" libc.so.6
t_unlike "kstat for partitions is static" "$(readelf -lW "$BUILD/tools/kstat")" INTERP

t_ok "it can be installed" env DESTDIR="$T/root" meson install -C "$BUILD" --no-rebuild
root=$(dirname "$(dirname "$(find "$T/root" -name kstat.h -path '*/include/kstat.h')")")
export PKG_CONFIG_PATH="$(dirname "$(find "$T/root" -name libkstat.pc)")" PKG_CONFIG_SYSROOT_DIR="$T/root"
t_ok "pkg-config knows it" pkg-config --exists libkstat
t_like "with the folder of Solaris's headers" "$(pkg-config --variable=illumosdir libkstat)" '/include/croft/illumos$'

cat >"$T/old.c" <<'C'
#include <kstat.h>
#include <stdio.h>
#include <sys/kstat.h>
#include <sys/sysinfo.h>
#include <sys/var.h>

int main()
{
        kstat_ctl_t *kc;
        kstat_t *ksp;
        cpu_stat_t cs;
        struct var v;

        if ((kc = kstat_open()) == NULL) {
                perror("kstat_open");
                return 3;
        }
        for (ksp = kc->kc_chain; ksp; ksp = ksp->ks_next)
                if (ksp->ks_type == KSTAT_TYPE_RAW && kstat_read(kc, ksp, &cs) != -1)
                        printf("%u %d\n", cs.cpu_sysinfo.cpu[CPU_IDLE], (int)sizeof(v));
        return kstat_close(kc);
}
C
illumos=$T/root$(pkg-config --variable=illumosdir libkstat | sed "s,^$T/root,,")
# shellcheck disable=SC2046 # words
t_ok "an old program builds against it" cc -Wall -Werror -I"$illumos" $(pkg-config --cflags libkstat) -o "$T/old" "$T/old.c" \
        $(pkg-config --libs libkstat)
t_is "it runs, and says that there is nothing" "$(CROFT_KSTAT=/nowhere LD_LIBRARY_PATH=$(dirname "$library") "$T/old" 2>&1)" \
        "kstat_open: No such file or directory"
t_is "so does kstat" "$(CROFT_KSTAT=/nowhere "$BUILD/kstat" 2>&1 || echo "status $?")" \
        "kstat: there are no statistics at /nowhere (is croftd running?)
status 3"
t_is "and that for partitions" "$(CROFT_KSTAT=/nowhere "$BUILD/tools/kstat" -p 2>&1 || echo "status $?")" \
        "kstat: there are no statistics at /nowhere (is croftd running?)
status 3"
t_done
