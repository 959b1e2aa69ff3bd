#!/bin/sh
# where: here
# beside: others
# timeout: 400
# Images that mmdebstrap builds: how it is called, watched and ended (by a stand-in that notes it), and one for real.
# The builder has a /tmp of its own: what it shares with the test lies elsewhere.
TMPDIR=/var/tmp
T_NETWORK=host
export TMPDIR
. "$(dirname "$0")/../lib.sh"

tool=$BUILD/tests/integration/image-tool
state=$T/state
mkdir "$state" "$T/bin"
real_path=$PATH

image() { "$tool" "$state" "$BUILD/croft-image" "$@"; }
left() { ls "$state/tmp" "$state/images"; }

# The stand-in: does what $T/act says, and notes how it was called.
cat >"$T/bin/mmdebstrap" <<'END'
#!/bin/sh
printf '%s\n' "$@" >"$NOTES/arguments"
ls -A /tmp >"$NOTES/tmp"
touch /tmp/left-by-the-builder
. "$NOTES/act"
END
chmod +x "$T/bin/mmdebstrap"
NOTES=$T
export NOTES
PATH=$T/bin:$real_path
mkdir -p "$T/root/etc" "$T/root/usr/bin"
echo 'PRETTY_NAME="Built 1"' >"$T/root/etc/os-release"
touch "$T/root/usr/bin/sh"

cat >"$T/act" <<'END'
echo "I: downloading packages" >&2
echo "W: a warning" >&2
tar -C "$NOTES/root" -c .
END
said=$(image build one bookworm minbase 'vim,g++' http://mirror.example/debian 2>&1)
t_like "an image is built" "$said" "one.*Built 1.*mmdebstrap bookworm minbase \+vim,g\+\+"
t_like "what the builder does is said" "$said" "^\.\.\. downloading packages$"
t_is "it is called with the suite, the mirror and the packages" "$(tr '\n' ' ' <"$T/arguments")" \
        "--mode=root --format=tar --variant=minbase --include=vim,g++ bookworm - deb http://mirror.example/debian bookworm main "
t_is "its /tmp is a fresh one" "$(cat "$T/tmp")" ""
t_ok "not the host's" test ! -e /tmp/left-by-the-builder
t_is "nothing of it is left" "$(ls "$state/tmp")" ""
image build two trixie >/dev/null 2>&1
t_like "without a mirror it is called with the host's own" "$(cat "$T/arguments")" '^deb .*://[^ ]+ trixie main$'
before=$(left)

echo 'printf "E: %s\n" "no such suite" "mmdebstrap failed to run" >&2; exit 25' >"$T/act"
t_fails_with 1 "a builder that fails fails the build" image build bad bookworm
t_like "with its own reason, the first that it gives" "$(cat "$T/error")" "mmdebstrap ended with status 25: no such suite"
echo 'tar -C "$NOTES/root" -c . | head -c 700; echo "E: disk full" >&2; sleep 0.2; exit 1' >"$T/act"
t_fails_with 1 "one that fails half way, too" image build bad bookworm
t_like "with its reason, not the cut archive" "$(cat "$T/error")" "disk full"
echo 'cat "$NOTES/evil.tar"; cat /dev/zero' >"$T/act"
tar -cPf "$T/evil.tar" --transform 's,.*,/evil,' "$T/act"
t_fails_with 7 "a hostile archive ends an endless builder" image build bad bookworm
t_like "and is named" "$(cat "$T/error")" "has an absolute name"
rm "$T/bin/mmdebstrap"
t_fails_with 3 "a missing mmdebstrap" env PATH="$T/bin" "$tool" "$state" "$BUILD/croft-image" build bad bookworm
t_like "is to be installed" "$(cat "$T/error")" "apt install mmdebstrap"
for wrong in '--hook=x' 'a b' '' '../x'; do
        t_fails_with 2 "the suite '$wrong' is refused" image build bad "$wrong"
done
t_fails_with 2 "an option in the place of packages is refused" image build bad bookworm minbase '-x'
t_fails_with 2 "an unknown variant is refused" image build bad bookworm huge
t_fails_with 2 "a mirror with options is refused" image build bad bookworm minbase x 'http://x [trusted=yes]'
t_is "nothing is left of these" "$(left)" "$before"

# --- killed -----------------------------------------------------------------------------------------------------------

cat >"$T/bin/mmdebstrap" <<'END'
#!/bin/sh
sh -c 'touch "$NOTES/began"; exec sleep 1234.5' &
wait
END
chmod +x "$T/bin/mmdebstrap"
PATH=$T/bin:$real_path
"$tool" "$state" "$BUILD/croft-image" build killed bookworm >/dev/null 2>&1 &
builder=$!
t_ok "a build runs" t_wait_for test -e "$T/began"
kill -KILL $builder
wait $builder 2>/dev/null
ended() { ! pgrep -f '^sleep 1234.5$'; }
t_ok "what the builder started dies with its caller" t_wait_for ended
image list >/dev/null
t_is "nothing half built is left" "$(left)" "$before"

# --- for real ---------------------------------------------------------------------------------------------------------

PATH=$real_path
said=$(image build debian bookworm 2>&1) || t_note "$said"
t_like "a Debian is built from this host's mirrors" "$(image show debian)" "Debian GNU/Linux 12 .*mmdebstrap bookworm minbase"
root=$state/images/$(image show debian | cut -f1)/rootfs
t_is "its programs run" "$(chroot "$root" /usr/bin/dpkg-query -W -f '${Status}' base-files)" "install ok installed"
t_is "its /dev holds no device" "$(find "$root/dev" -type c -o -type b)" ""
t_is "nothing else is left" "$(ls "$state/tmp")" ""

t_done
