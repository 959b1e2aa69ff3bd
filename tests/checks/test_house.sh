#!/bin/sh
# where: here
# beside: others
# The house rules (layers, sizes, headers, words, format) hold in this tree; and each check finds what it is made for.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"

t_ok "each folder includes only downwards" "$t_top/tools/check-layers"
t_ok "files and functions are of a size that can be read" "$t_top/tools/check-size"
t_ok "programs in the kernel take results of maps where they can be trusted" "$t_top/tools/check-bpf"
t_ok "each header compiles alone, the public ones as C++ too" "$t_top/tools/check-headers"
t_ok "no file tells where it was written" "$t_top/tools/check-words"
t_ok "the C files are formatted" "$t_top/tools/format"
t_ok "what can be translated is known to translators" "$t_top/tools/messages" -c
t_ok "what the documents name exists" "$t_top/tools/check-docs"
t_ok "each requirement has one row, and the tests it names exist" "$t_top/tools/check-requirements"

# A small tree with every fault in it.
house=$T/house
mkdir -p "$house/src/base" "$house/src/image" "$house/src/move" "$house/src/cli" "$house/src/strange" "$house/include/croft"

plant() { # FILE: its content from standard input
        cat >"$house/$1"
}

# CHECK WHAT SENTENCE: the check fails and says so
finds() {
        status=0
        "$t_top/tools/$1" "$house" >"$T/findings" 2>&1 || status=$?
        t_is "$3 (status)" "$status" 1
        t_like "$3" "$(cat "$T/findings")" "$2"
}

t_ok "an empty tree has no fault of layers" "$t_top/tools/check-layers" "$house"
t_ok "an empty tree has no fault of size" "$t_top/tools/check-size" "$house"

plant src/move/map.bpf.c <<'C'
int f(void)
{
        bpf_map_update_elem(&map, &key, &value, BPF_ANY);
        if (key)
                bpf_map_delete_elem(&map, &key);
        return bpf_map_delete_elem(&map, &key) < 0 ||
                bpf_map_update_elem(&map, &key, &value, BPF_NOEXIST) < 0;
}
C
finds check-bpf 'src/move/map.bpf.c:6: the result is used' "a result of a map that is used is found"
t_is "twice, and no call without" "$(wc -l <"$T/findings")" 2
rm "$house/src/move/map.bpf.c"
plant src/base/up.c <<'C'
#include "kernel/cgroup.h"
C
finds check-layers 'src/base/up.c:1: includes "kernel/cgroup.h": only downwards' "a folder that includes upwards is found"
rm "$house/src/base/up.c"
plant src/image/other.c <<'C'
#include "base/fd.h"
#include "move/move.h"
C
finds check-layers 'src/image/other.c:2: .*a system never includes another one' "a system that includes another one is found"
rm "$house/src/image/other.c"
plant src/cli/base.c <<'C'
#  include  "base/str.h"
C
finds check-layers 'cli sees include/croft' "a command line that sees the inside is found"
rm "$house/src/cli/base.c"
plant src/move/dots.c <<'C'
#include "../image/image.h"
C
finds check-layers "not by '..'" "a way round the layers is found"
rm "$house/src/move/dots.c"
plant src/strange/x.c <<'C'
#include "base/str.h"
C
finds check-layers "folder 'strange' has no layer" "a folder without a layer is found"
rm "$house/src/strange/x.c"
plant src/cli/good.c <<'C'
#include "cli.h"
#include "cli/table.h"
#include <croft/error.h>
C
t_ok "what is allowed is left alone" "$t_top/tools/check-layers" "$house"
rm "$house/src/cli/good.c"

{
        echo 'int long_one(void)'
        echo '{'
        seq -f '        f(%g);' 61
        echo '}'
} | plant src/base/long.c
finds check-size 'src/base/long.c:2: long_one\(\) has 61 lines' "a long function is found"
sed -i '$d; 3d' "$house/src/base/long.c"
echo '}' >>"$house/src/base/long.c"
t_ok "a function of 60 lines is left alone" "$t_top/tools/check-size" "$house"
seq -f '/* %g */' 801 | plant src/base/long.c
finds check-size 'src/base/long.c: 801 lines' "a long file is found"
rm "$house/src/base/long.c"

plant src/base/needy.h <<'C'
struct needy { uint32_t value; };
C
finds check-headers 'src/base/needy.h: .*alone as C' "a header that needs another one is found"
rm "$house/src/base/needy.h"
if command -v g++ >/dev/null; then
        plant include/croft/only_c.h <<'C'
struct only_c { int class; };
C
        finds check-headers 'only_c.h: .*alone as C++' "a public header that is no C++ is found"
        rm "$house/include/croft/only_c.h"
fi

echo "see $house/notes.txt" | plant words.txt
finds check-words 'words.txt:1: a path of this machine' "a path of this machine is found"
rm "$house/words.txt"

mkdir -p "$house/docs" "$house/tests"
echo 'void here(void)' | plant src/base/here.c
echo 'see `src/base/gone.c`' | plant docs/x.md
finds check-docs 'docs/x.md:1: there is no src/base/gone.c' "a document that names a missing file is found"
echo 'see [that](gone.md)' | plant docs/x.md
finds check-docs 'there is no docs/gone.md' "a link to nowhere is found"
echo '| `src/base/here.c` | `there()` |' | plant docs/x.md
finds check-docs "there\(\) isn't in the files named" "a document that names a missing function is found"
echo '| `src/base/here.c` | `here()` |' | plant docs/x.md
t_ok "a document that is right is left alone" "$t_top/tools/check-docs" "$house"
mkdir "$house/docs/adr"
echo '[1](0001-one.md)' | plant docs/adr/0000-records.md
echo '# 0001: one' | plant docs/adr/0001-one.md
t_ok "records that are in the index are left alone" "$t_top/tools/check-docs" "$house"
echo '# 0001: another' | plant docs/adr/0001-another.md
finds check-docs "0001-another.md isn't linked" "a record that the index leaves out is found"
finds check-docs "number 0001 is given twice" "a number that is given twice is found"
rm -r "$house/docs/adr"
rm "$house/docs/x.md" "$house/src/base/here.c"
echo 'static void it_works(void **state)' | plant tests/test_x.c
requirements() { # ROW...
        printf '    C 1-2\n\n'
        printf '%s\n' "$@"
}
good='| C-1 | a | met | `tests/test_x.c: it_works` |'
requirements "$good" '| C-2 | b | not yet | |' | plant docs/requirements.md
t_ok "a table without fault is left alone" "$t_top/tools/check-requirements" "$house"
requirements "$good" | plant docs/requirements.md
finds check-requirements 'C-2 has no row' "a requirement without a row is found"
requirements "$good" "$good" '| C-2 | b | not yet | |' | plant docs/requirements.md
finds check-requirements 'C-1 has 2 rows' "a requirement with two rows is found"
requirements "$good" '| C-2 | b | not yet | |' '| C-3 | c | not yet | |' | plant docs/requirements.md
finds check-requirements 'C-3 is in no list of ids' "a row for nothing is found"
requirements "$good" '| C-2 | b | not yet | |' '    C A1-2' '| C-A1 | c | not yet | |' | plant docs/requirements.md
finds check-requirements 'C-A2 has no row' "and a scenario without one"
requirements "$good" '| C-2 | b | met | `tests/test_x.c: it_flies` |' | plant docs/requirements.md
finds check-requirements "doesn't claim 'it_flies'" "a test that claims something else is found"
requirements "$good" '| C-2 | b | met | `tests/test_y.c: it_works` |' | plant docs/requirements.md
finds check-requirements 'there is no tests/test_y.c' "a test that isn't there is found"
requirements "$good" '| C-2 | b | met | |' | plant docs/requirements.md
finds check-requirements "the other states have some" "a requirement that is met by nothing is found"
rm -r "$house/docs" "$house/tests"

printf 'int  x ;\n' | plant src/base/ugly.c
cp "$t_top/.clang-format" "$house/"
status=0
"$t_top/tools/format" "$house" >"$T/findings" 2>&1 || status=$?
t_is "an unformatted file is found" "$status" 1
t_ok "it can be formatted" "$t_top/tools/format" --fix "$house"
t_ok "and is then left alone" "$t_top/tools/format" "$house"

t_done
