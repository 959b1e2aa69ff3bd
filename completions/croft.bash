# Completion of croft(1) for bash.
#
# Commands and options come from `croft help --quiet`, so that they are always those of the croft that is called; names of
# partitions and images from croftd, which may not be there: then there is nothing to offer.

# Fills COMPREPLY with those of the lines of $1 that begin with $2.
_croft_offer() {
        local word
        while IFS= read -r word; do
                [[ -n $word && $word == "$2"* ]] && COMPREPLY+=("$word")
        done <<<"$1"
}

# The value of option $1 of the command $2; fails when it has none.
_croft_value() {
        local option=$1 command=$2
        case $command:$option in
        *:--socket | "image import":*) COMPREPLY=($(compgen -f -- "$cur")) ;;
        "error print:--format") _croft_offer $'text\njson\nxml' "$cur" ;;
        *:--format) _croft_offer $'table\njson\ncsv\nyaml' "$cur" ;;
        create:--image | create:-i) _croft_offer "$(_croft_images)" "$cur" ;;
        create:--set | create:-s | set:--set | set:-s)
                _croft_offer "$(_croft_ask help properties | sed 's/[^.]$/&=/')" "$cur"
                compopt -o nospace 2>/dev/null
                ;;
        set:--unset | set:-u) _croft_offer "$(_croft_ask help properties)" "$cur" ;;
        list:--state | list:-s) _croft_offer "$_croft_states" "${cur,,}" ;;
        top:--sort | top:-s)
                _croft_offer $'name\nstate\ncpu\nmemory\nlimit\nswap\nread\nwrite\nreceive\ntransmit\nload\ncpu-pressure\nmemory-pressure\nio-pressure\ntasks' "$cur"
                ;;
        top:--filter | top:-f) _croft_offer "$(_croft_ask list)" "$cur" ;;
        list:--columns | list:-o) _croft_offer "$_croft_columns" "$cur" ;;
        "pool list:--columns" | "pool list:-o") _croft_offer $'name\ncpus\nonline\npartitions\ndefault\nall' "$cur" ;;
        "pool create:--cpus" | "pool create:-c" | "pool set:--cpus" | "pool set:-c")
                _croft_offer "$(cat /sys/devices/system/cpu/online 2>/dev/null)" "$cur"
                ;;
        "image list:--columns" | "image list:-o") _croft_offer $'name\nid\nos\nsize_bytes\ncreated\nsource\nnative\nall' "$cur" ;;
        kill:--signal | kill:-s) _croft_offer $'TERM\nINT\nHUP\nKILL\nQUIT\nUSR1\nUSR2\nPWR\nRTMIN+3' "${cur^^}" ;;
        exec:--directory | exec:-w) COMPREPLY=($(compgen -d -- "$cur")) ;;
        "devid "*:--partition | "devid "*:-z | fsstat:--partition | fsstat:-z) _croft_offer "$(_croft_ask list)" "$cur" ;;
        "kext register:--package" | "kext register:-a")
                _croft_offer "$(cd /var/lib/dpkg/info 2>/dev/null && printf '%s\n' linux-image-*.list | sed -n 's/\.list$//p')" "$cur"
                ;;
        "device add:--access" | "device add:-a") _croft_offer $'r\nw\nrw' "$cur" ;;
        "device add:--mode" | "device add:-m") _croft_offer $'600\n640\n660\n666' "$cur" ;;
        console:--escape | console:-e) _croft_offer $'^a\n^b\n^]\nnone' "$cur" ;;
        "image build:--suite" | "image build:-s") _croft_offer $'bullseye\nbookworm\ntrixie\nsid' "$cur" ;;
        "image build:--variant" | "image build:-V")
                _croft_offer $'minbase\nimportant\nstandard\nrequired\napt\nessential\nbuildd' "$cur"
                ;;
        esac
}

_croft_states=$'defined\nloaded\nactive\nfrozen\npaused\nmaintenance\nmoving\nbroken\ntransitional'
_croft_columns=$'name\nid\nstate\nroot\nnative\nimage\npid\nwarden\nuid_base\ncreated\nstarted\npool\nusage.cpu_seconds\nusage.memory_bytes\nusage.processes\noperation\nlast_error\nproperties.\nall'

# Images that have a name; templates of native partitions have none.
_croft_images() {
        _croft_ask image list | grep -vxE '[0-9a-f]{64}'
}

# "FAMILY INSTANCE TYPE MAJOR MINOR" of each device number.  Instances are words of partitions: one that a shell would take for
# more than a word is left out.
_croft_numbers() {
        "${COMP_WORDS[0]}" "${socket[@]}" --format csv --no-header devid list 2>/dev/null |
                sed -nE 's/^[a-z0-9-]+,([a-z0-9]+),([A-Za-z0-9][A-Za-z0-9._-]*),[0-9]+,([bc]),([0-9]+):([0-9]+|[*]),.*/\1 \2 \3 \4 \5/p'
}

# Modules of the running kernel.
_croft_modules() {
        sed -n 's,^\(.*/\)\{0,1\}\([^/]*\)\.ko[^/]*:.*,\2,p' "/lib/modules/$(uname -r)/modules.dep" 2>/dev/null
}

# Families of device numbers: the minors of a major when that is given out.
_croft_families() {
        printf 'char\nblock\ncuse\ndm\nloop\nnbd\nzram\n'
        _croft_numbers | sed -n 's/^[^ ]* [^ ]* \([^ ]*\) \([^ ]*\) [*]$/\1\2/p' | sort -u
}

# Runs croft quietly, at the socket that the line names.
_croft_ask() {
        "${COMP_WORDS[0]}" "${socket[@]}" --quiet "$@" 2>/dev/null
}

# The words that are no options, for the command $1.
_croft_words() {
        case $1 in
        start | stop | restart | kill | load | freeze | thaw | show | remove | rm | list | ls | events)
                _croft_offer "$(_croft_ask list)" "$cur"
                ;;
        console | log | rename | mv) [ "$named" = 0 ] && _croft_offer "$(_croft_ask list)" "$cur" ;;
        set)
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                else
                        _croft_value --set set
                fi
                ;;
        exec)
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                elif [ "$named" = 1 ]; then
                        COMPREPLY=($(compgen -c -- "$cur"))
                else
                        COMPREPLY=($(compgen -f -- "$cur"))
                fi
                ;;
        help) _croft_offer "$(_croft_ask help | grep -v '^-')"$'\nproperties' "$cur" ;;
        "help image" | image) _croft_offer "$(_croft_ask help image | grep -v '^-')" "$cur" ;;
        "image show" | "image remove" | "image rm") _croft_offer "$(_croft_images)" "$cur" ;;
        "help pool" | pool) _croft_offer "$(_croft_ask help pool | grep -v '^-')" "$cur" ;;
        "pool set" | "pool show" | "pool remove" | "pool rm") _croft_offer "$(_croft_ask pool list)" "$cur" ;;
        "pool bind")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                elif [ "$named" = 1 ]; then
                        _croft_offer "$(_croft_ask pool list)" "$cur"
                fi
                ;;
        "help error" | error) _croft_offer "$(_croft_ask help error | grep -v '^-')" "$cur" ;;
        # Those that have a record: known without croftd.
        "error print" | "error attend") [ "$named" = 0 ] && _croft_offer "$(_croft_ask error list)" "$cur" ;;
        "error clear") _croft_offer "$(_croft_ask error list)" "$cur" ;;
        "help devid" | devid) _croft_offer "$(_croft_ask help devid | grep -v '^-')" "$cur" ;;
        "devid alloc" | "devid assign" | "devid release" | "devid show")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_families)" "$cur"
                elif [ "$named" = 1 ]; then
                        _croft_offer "$(_croft_numbers | awk -v family="$first" '$1 == family { print $2 }' | sort -u)" "$cur"
                fi
                ;;
        "help device" | device) _croft_offer "$(_croft_ask help device | grep -v '^-')" "$cur" ;;
        "device add" | "device remove" | "device list")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                elif [ "$command" = "device add" ] && [ "$named" = 1 ]; then
                        COMPREPLY=($(compgen -f -- "${cur:-/dev/}"))
                elif [ "$command" = "device remove" ]; then
                        _croft_offer "$(_croft_ask device list "$first")" "$cur"
                fi
                ;;
        "help kext" | kext) _croft_offer "$(_croft_ask help kext | grep -v '^-')" "$cur" ;;
        "kext id") COMPREPLY=($(compgen -f -- "$cur")) ;;
        "kext register")
                COMPREPLY=($(compgen -f -- "$cur"))
                [[ $cur == */* ]] || COMPREPLY+=($(compgen -W "$(_croft_modules)" -- "$cur"))
                ;;
        "kext list" | "kext scan" | "kext sync") [ "$named" = 0 ] && _croft_offer "$(_croft_ask list)" "$cur" ;;
        "kext provide")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                elif [ "$named" = 1 ]; then
                        _croft_offer "$(_croft_ask kext list | sort -u)" "$cur"
                fi
                ;;
        "kext load" | "kext unload")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)$([ "$command" = "kext load" ] || printf '\nglobal')" "$cur"
                elif [ "$command" = "kext unload" ] || [ "$named" = 1 ]; then
                        _croft_offer "$(_croft_ask kext list | sort -u)" "$cur"
                fi
                ;;
        "kext grant" | "kext ungrant" | "kext check")
                if [ "$named" = 0 ]; then
                        _croft_offer "$(_croft_ask list)" "$cur"
                elif [ "$command" = "kext check" ] && [ "$named" = 1 ]; then
                        COMPREPLY=($(compgen -f -- "$cur"))
                elif [ "$command" = "kext grant" ] && [ "$named" = 1 ]; then
                        _croft_offer "$(_croft_ask kext list | sort -u)"$'\nALL' "$cur"
                elif [ "$command" = "kext ungrant" ]; then
                        _croft_offer "$(_croft_ask kext list "$first")" "$cur"
                fi
                ;;
        "kext show" | "kext supersede" | "kext revoke") _croft_offer "$(_croft_ask kext list | sort -u)" "$cur" ;;
        kstat) [ "$named" = 0 ] && _croft_offer $'list\nread\nshow' "$cur" ;;
        "image import") COMPREPLY=($(compgen -f -- "$cur")) ;;
        "") _croft_offer "$(_croft_ask help | grep -v '^-')" "$cur" ;;
        esac
}

_croft() {
        local cur=${COMP_WORDS[COMP_CWORD]} command= options word i named=0 first= takes= rest=
        local socket=()
        COMPREPLY=()
        # '=' breaks words: "--image=x" is three of them.
        [ "$cur" = "=" ] && cur=
        options=$(_croft_ask help)
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [ -n "$takes" ]; then
                        [ "$word" = "=" ] && continue
                        [ "$takes" = --socket ] && socket=(--socket "$word")
                        takes=
                elif [ "$word" = "=" ]; then
                        takes=value
                elif [ -n "$rest" ]; then
                        named=$((named + 1))
                elif [ "$word" = -- ]; then
                        rest=yes
                elif [[ $word == -* ]]; then
                        grep -qxF -e "$word=" <<<"$options" && takes=$word
                elif [[ $command =~ ^(image|pool|error|devid|device|kext)?$ || "$command $word" =~ ^help\ (image|pool|error|devid|device|kext)$ ]]; then
                        command=${command:+$command }$word
                        # shellcheck disable=SC2086 # two words for two ranks
                        options=$(_croft_ask help $command)
                else
                        named=$((named + 1))
                        first=${first:-$word}
                        [ "$command" = exec ] && [ "$named" = 2 ] && rest=yes
                fi
        done
        case $command in # an alias is as good as its name
        ls) command=list ;;
        "image ls") command="image list" ;;
        "pool ls") command="pool list" ;;
        "error ls") command="error list" ;;
        "devid ls") command="devid list" ;;
        "kext ls") command="kext list" ;;
        "device ls") command="device list" ;;
        "device rm") command="device remove" ;;
        esac
        if [ -n "$takes" ]; then
                _croft_value "$takes" "$command"
        elif [[ $cur == -* && -z $rest ]]; then
                _croft_offer "$(grep '^-' <<<"$options" | sed 's/=$//')" "$cur"
        else
                _croft_words "$command"
        fi
}
complete -F _croft croft
