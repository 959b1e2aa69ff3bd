#!/bin/sh
# where: here
# Archives that others made: the good are imported as they are, the hostile and broken leave nothing.
. "$(dirname "$0")/../lib.sh"

tool=$BUILD/tests/integration/image-tool
worker=$BUILD/croft-image
state=$T/state
archives=$T/archives
mkdir "$state"
python3 "$t_top/tests/integration/image_archives.py" "$archives" || exit
echo precious >"$archives/outside/sentinel"

image() { "$tool" "$state" "$worker" "$@"; }

# Everything below the state directory, and what must not be touched outside it.
left() {
        find "$state" -mindepth 2 -printf '%P\n'
        find "$archives/outside" -printf '%p %s %T@\n'
        find / -maxdepth 2 -path /proc -prune -o -name 'evil*' -print
}

id_of() { image list | awk -F'\t' -v name="$1" '$2 == name { print $1 }'; }
root_of() { echo "$state/images/$(id_of "$1")/rootfs"; }

image list
before=$(left)

# --- refused ----------------------------------------------------------------------------------------------------------

for file in "$archives"/bad/*; do
        case $file in *.says | *.limits) continue ;; esac
        limits=
        [ -e "$file.limits" ] && limits=$(cat "$file.limits")
        # shellcheck disable=SC2086 # two words
        said=$(image import evil "$file" $limits 2>&1) && said="it was taken: $said"
        t_like "refused: $(basename "$file")" "$said" "$(cat "$file.says")"
        t_is "nothing is left of $(basename "$file")" "$(left)" "$before"
        image remove evil 2>/dev/null
done
t_fails_with 7 "a hostile archive has an exit status of its own" image import evil "$archives/bad/dotdot"
t_fails_with 3 "a missing file is named" image import x "$T/none"
t_like "by its path" "$(cat "$T/error")" "none.*No such file"
t_fails_with 2 "a bad name is refused before anything is read" image import ../x "$archives/good/plain.tar"
t_fails_with 2 "what is neither file nor folder is refused" image import x /dev/null
mkdir "$T/tree" && touch "$T/tree/f" && chown 65536 "$T/tree/f"
t_fails_with 7 "a folder with an id above 65535 is refused" image import x "$T/tree"
chown 0 "$T/tree/f" && mkdir "$T/tree/below" && mknod "$T/tree/below/n" c 1 3
t_fails_with 7 "a folder with a device node is refused" image import x "$T/tree"
t_is "nothing is left of these" "$(left)" "$before"

# --- taken ------------------------------------------------------------------------------------------------------------

for kind in tar tar.gz tar.xz tar.bz2; do
        name=$(echo "plain-$kind" | tr . -)
        t_ok "a plain $kind is imported" image import "$name" "$archives/good/plain.$kind"
done
root=$(root_of plain-tar)
t_is "its system has a name" "$(image show plain-tar | cut -f4)" "Test OS 7"
t_is "owners are kept up to 65535" "$(stat -c '%u:%g' "$root/last")" 65535:65535
t_is "modes are kept" "$(stat -c '%a' "$root/tmp" "$root/usr/bin/sh" "$root/etc/shadow" | tr '\n' ' ')" "1777 4755 640 "
t_is "times are kept" "$(stat -c '%Y' "$root/usr" "$root/etc/os-release" | sort -u)" 1000000000
t_is "links are kept as they are" "$(readlink "$root/etc/absolute" "$root/etc/up" "$root/bin" | tr '\n' ' ')" \
        "/etc/passwd ../../../x usr/bin "
t_is "hard links are one file" "$(stat -c '%i' "$root/usr/bin/sh")" "$(stat -c '%i' "$root/usr/bin/ash")"
t_is "a later entry of the same name wins" "$(cat "$root/etc/twice")" second
t_ok "a FIFO is made" test -p "$root/pipe"
t_is "device nodes below /dev are passed over" "$(ls "$root/dev")" ""
t_is "missing folders are made" "$(stat -c '%u %a' "$root/no/folder")" "0 755"
t_ok "names are bytes" test -e "$root/grüße"
t_is "attributes for people are kept, those for the overlay are not" \
        "$(python3 -c 'import os, sys; print(*os.listxattr(sys.argv[1]))' "$root/xattr")" user.note
t_is "the time of its root stays, although mount points were made" "$(stat -c %Y "$root")" 1000000000
t_is "all compressions give the same" "$(cd "$root" && find . ! -path './no*' ! -path './proc' ! -path './sys' ! -path './run' -printf '%p %u %g %m %s %T@ %l\n' | sort | md5sum)" \
        "$(cd "$(root_of plain-tar-xz)" && find . ! -path './no*' ! -path './proc' ! -path './sys' ! -path './run' -printf '%p %u %g %m %s %T@ %l\n' | sort | md5sum)"
t_fails_with 5 "a name that is taken is refused" image import plain-tar "$archives/good/plain.tar"

t_ok "a sparse file stays sparse" image import sparse "$archives/good/sparse.tar"
t_is "and has its size" "$(stat -c '%s' "$(root_of sparse)/hole")" 1073741824
t_ok "without its blocks" test "$(stat -c '%b' "$(root_of sparse)/hole")" -lt 100

t_ok "a unified tarball of LXC is imported" image import unified "$archives/good/unified.tar.xz"
t_ok "its root is the root" test -u "$(root_of unified)/usr/bin/sh"
t_ok "its other parts are gone" test ! -e "$(root_of unified)/../unpacked"
t_ok "mounts that are shared among namespaces, as systemd has them all, are no matter" \
        unshare --mount --propagation shared "$tool" "$state" "$worker" import shared "$archives/good/plain.tar"
t_ok "nor for a folder" unshare --mount --propagation shared "$tool" "$state" "$worker" import shared-folder "$root"
t_ok "a split one is imported" image import split "$archives/good/meta.tar.xz,$archives/good/plain.tar.gz"
t_is "its root, too" "$(image show split | cut -f4)" "Test OS 7"
t_fails_with 7 "a split one without metadata is refused" \
        image import split2 "$archives/good/plain.tar,$archives/good/plain.tar.gz"

for source in oci oci.tar; do
        name=$(echo "$source" | tr . -)
        t_ok "an OCI layout ($source) is imported" image import "$name" "$archives/good/$source"
        root=$(root_of "$name")
        t_is "of two machines this one's is taken, and layers act in their order" \
                "$(cd "$root" && find . ! -path './etc*' ! -path './usr*' | sort | tr '\n' ' ')" \
                ". ./bin ./dev ./full ./kept ./kept/a ./opaque ./opaque/new ./proc ./run ./sys ./tmp "
        t_is "mount points that an image leaves out are made" "$(stat -c '%a %u' "$root/proc" "$root/tmp" | tr '\n' ' ')" "555 0 1777 0 "
        t_is "a file replaces a folder of a lower layer" "$(cat "$root/full")" "now a file"
done

cp -a "$root" "$T/folder"
ln "$T/folder/etc/os-release" "$T/folder/etc/again"
truncate -s 10M "$T/folder/hole"
setcap cap_net_raw+ep "$T/folder/full"
chown 33:33 "$T/folder/kept/a"
t_ok "a folder is copied" image import folder "$T/folder"
copy=$(root_of folder)
t_is "as it is" "$(cd "$copy" && find . -printf '%p %u %g %m %l\n' | sort | md5sum)" \
        "$(cd "$T/folder" && find . -printf '%p %u %g %m %l\n' | sort | md5sum)"
t_is "hard links stay one file" "$(stat -c %i "$copy/etc/again")" "$(stat -c %i "$copy/etc/os-release")"
t_ok "holes stay holes" test "$(stat -c %b "$copy/hole")" -lt 100
t_like "file capabilities are kept" "$(getcap "$copy/full")" 'cap_net_raw[=+]ep'

# --- the set ----------------------------------------------------------------------------------------------------------

id=$(id_of split)
t_is "an image is found by 8 digits of its id" "$(image show "$(echo "$id" | cut -c1-8)" | cut -f2)" split
t_fails_with 3 "7 digits are no name" image show "$(echo "$id" | cut -c1-7)"
t_fails_with 5 "an image in use isn't removed" image remove split "$id"
t_ok "it is still there" image show split
t_ok "an unused one is removed" image remove split
t_fails_with 3 "it is gone" image show split
t_is "nothing of it is left" "$(find "$state" -path "*$id*" | head -n 1)$(ls "$state/tmp")" ""
echo broken >"$state/images/$(id_of sparse)/meta.json"
t_like "a damaged image is listed by its id" "$(image list)" "damaged"

# --- killed -----------------------------------------------------------------------------------------------------------

images=$(ls "$state/images")

# Starts an import of 200 MB and stops the worker while it writes; $importer and $child are their pids.  Once more if that has
# ended before we have seen it.
begin_import() {
        for _ in 1 2 3 4 5 6 7 8 9 10; do
                "$tool" "$state" "$worker" import big "$archives/good/big.tar" >/dev/null 2>"$T/error" &
                importer=$!
                t_wait_for writes_or_ended
                child=$(cat "/proc/$importer/task/$importer/children")
                child=${child%% *}
                [ -z "$child" ] || ! kill -STOP "$child" || ! ls "$state"/tmp/image-*/unpacked/f1 || return 0
                wait "$importer"
                image remove big
        done 2>/dev/null >&2
}
writes_or_ended() { ls "$state"/tmp/image-*/unpacked/f1 || grep '^State:.Z' "/proc/$importer/status"; }

begin_import
kill -KILL "$child"
wait "$importer"
t_is "a killed worker ends the import" $? 7
t_like "and is named" "$(cat "$T/error")" "ended by signal 9"
t_is "with nothing left" "$(ls "$state/tmp"; ls "$state/images")" "$images"

begin_import
kill -KILL "$importer"
wait "$importer" 2>/dev/null
gone() { [ ! -e "/proc/$child" ] || grep -q '^State:.Z' "/proc/$child/status"; }
t_ok "the worker dies with its caller" t_wait_for gone
t_isnt "a killed caller leaves its draft" "$(ls "$state/tmp")" ""
image list >/dev/null
t_is "which goes when the store is opened next" "$(ls "$state/tmp"; ls "$state/images")" "$images"

# --- a full disk ------------------------------------------------------------------------------------------------------

truncate -s 24M "$T/disk" && mkfs.ext4 -q "$T/disk" && mkdir "$T/small" && mount -o loop "$T/disk" "$T/small"
t_fails_with 6 "a disk that gets full ends an import" "$tool" "$T/small" "$worker" import big "$archives/good/big.tar"
t_like "with the entry it couldn't write" "$(cat "$T/error")" "write 'f[0-9]+': No space left"
t_is "and nothing is left" "$(ls "$T/small/tmp" "$T/small/images")" "$T/small/images:

$T/small/tmp:"
t_ok "so that a smaller one has room" "$tool" "$T/small" "$worker" import tiny "$archives/good/plain.tar"
umount "$T/small"

# --- what the worker could do, were it taken over ------------------------------------------------------------------------

begin_import
status=$(cat "/proc/$child/status")
t_like "it has five capabilities, none of them outside its own ids" "$status" '^CapEff:.0000000080000013|^CapEff:.000000008000001b'
t_like "it can't gain any" "$status" '^CapBnd:.0000000000000000'
t_like "it is nobody" "$status" '^Uid:.2013134848.2013134848'
t_like "its system calls are filtered" "$status" '^Seccomp:.2'
t_like "it can't gain privileges" "$status" '^NoNewPrivs:.1'
t_is "it sees no file but the target's" "$(ls "/proc/$child/root/" | grep -v '^f' | tr '\n' ' ')" "bin etc usr "
t_isnt "its network is its own" "$(readlink "/proc/$child/ns/net")" "$(readlink /proc/self/ns/net)"
# As many of the target's as it is just at, and the target itself.
target=$(awk '$5 == "/" { print $1 }' "/proc/$child/mountinfo")
t_is "it holds the archive, the report, the error output and what is the target's" \
        "$(awk -v target="$target" '/^mnt_id:/ { if ($2 == target) of_target = " target"; else others++ } END { print others of_target }' "/proc/$child"/fdinfo/*)" "3 target"
kill -CONT "$child"
t_ok "undisturbed it goes on" wait "$importer"

t_done
