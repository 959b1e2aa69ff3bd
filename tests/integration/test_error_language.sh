#!/bin/sh
# where: here
# Errors are said in the language of who reads them (ERR-A3): the same record with catalogues of several languages, without
# one, with one that lacks the message or lies about it; and croft's own messages in those that it ships.
. "$(dirname "$0")/../lib.sh"

export CROFT_LOCALEDIR="$T/locale" LC_ALL=C.UTF-8

# LANGUAGE CATALOGUE: makes a catalogue of what comes in.
catalogue() {
        mkdir -p "$T/locale/$1/LC_MESSAGES"
        { printf 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'; cat; } |
                msgfmt -o "$T/locale/$1/LC_MESSAGES/$2.mo" -
}

said() { LANGUAGE=$1 croft error print web | cut -c22- | sed -E 's/^(inside: )?[a-z]+ [^ ]+ +//'; }

catalogue fr disks <<'END'
msgctxt "7.1"
msgid "disk %s: %d blocks can't be read"
msgstr "%2$d blocs du disque %1$s sont illisibles"

msgctxt "7.2"
msgid "disk %s: %d blocks can't be read"
msgstr "un autre numéro"
END
catalogue ja disks <<'END'
msgctxt "7.1"
msgid "disk %s: %d blocks can't be read"
msgstr "ディスク %s: %d ブロックを読み取れません"
END
catalogue es disks <<'END'
msgctxt "7.2"
msgid "disk %s: %d blocks can't be read"
msgstr "falta el primero"
END
catalogue xx disks <<'END'
msgctxt "7.1"
msgid "disk %s: %d blocks can't be read"
msgstr "%1$d %2$s %3$s: those aren't the types, and one is too much"
END
catalogue yy disks <<'END'
msgctxt "7.1"
msgid "disk %s: %d blocks can't be read"
msgstr "%n%n%n%n"
END

t_croftd_start || exit 1
t_ok "a partition runs" sh -c 'croft create web && croft start web'
croft exec web -- /run/croft/bin/croft-error -q -p backup -c disks -s 7 -n 1 -S "disk %s: %d blocks can't be read" sda 17
default="disk sda: 17 blocks can't be read"
t_is "without a language it is the default text" "$(said C)" "$default"
t_is "French has the arguments in another order" "$(said fr)" "17 blocs du disque sda sont illisibles"
t_is "Japanese is another alphabet" "$(said ja)" "ディスク sda: 17 ブロックを読み取れません"
t_is "what has no catalogue is said by the default text" "$(said it)" "$default"
t_is "so is what the catalogue doesn't have" "$(said es)" "$default"
t_is "the first language of several that has it is taken" "$(said it:es:ja:fr)" "ディスク sda: 17 ブロックを読み取れません"
t_is "a translation that wants other arguments isn't used" "$(said xx)" "$default"
t_is "nor one that is no format" "$(said yy)" "$default"
t_is "JSON has it in that language, too" "$(LANGUAGE=fr croft error print web --format json | jq -r '.records[0].message')" "17 blocs du disque sda sont illisibles"
t_is "and the default text beside it" "$(LANGUAGE=fr croft error print web --format json | jq -r '.records[0] | .format, .arguments[]' | paste -sd'|')" \
        "disk %s: %d blocks can't be read|sda|17"

# What croft itself says, in the catalogues that it ships.
export CROFT_LOCALEDIR="$BUILD/po"
croft stop web --force
croft set web init=/bin/nonexistent
croft start web 2>/dev/null
english=$(said C | tail -n 1)
t_is "in English" "$english" "run '/bin/nonexistent': No such file or directory"
for language in de ja; do
        t_isnt "in $language it is something else" "$(said $language | tail -n 1)" "$english"
        t_like "of the same thing" "$(said $language | tail -n 1)" "'/bin/nonexistent'"
done
t_ok "it is removed" croft remove web
t_done
