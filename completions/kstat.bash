# Completion of kstat(8) for bash.  Modules, classes and keys come from the kstat that is called; where it sees nothing there is
# nothing to offer.

_kstat_offer() { # LINES: fills COMPREPLY with those that begin with what is typed
        local word
        while IFS= read -r word; do
                [[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
        done <<<"$1"
}

_kstat_ask() { "${COMP_WORDS[0]}" "$@" 2>/dev/null; }

_kstat() {
        # ':' breaks words, and keys are full of them: what was typed is put together again.
        local cur=${COMP_LINE:0:COMP_POINT} broken last
        cur=${cur##*[[:space:]]}
        last=${COMP_WORDS[COMP_CWORD - 1]}
        COMPREPLY=()
        case $last in
        -m) _kstat_offer "$(_kstat_ask -l | cut -d: -f1 | sort -u)" ;;
        -n) _kstat_offer "$(_kstat_ask -l | cut -d: -f3 | sort -u)" ;;
        -s) _kstat_offer "$(_kstat_ask -l | cut -d: -f4- | sort -u)" ;;
        -c) _kstat_offer "$(_kstat_ask -p -s class | cut -f2 | sort -u)" ;;
        -T) _kstat_offer $'d\nu' ;;
        -z) _kstat_offer "$(croft --quiet list 2>/dev/null)" ;;
        *)
                if [[ $cur == -* ]]; then
                        _kstat_offer $'-C\n-j\n-l\n-p\n-q\n-T\n-z\n-c\n-m\n-i\n-n\n-s\n-h'
                else
                        # keys up to the next colon, then the next part
                        compopt -o nospace 2>/dev/null
                        _kstat_offer "$(_kstat_ask -l | cut -d: -f"1-$(($(tr -cd : <<<"$cur" | wc -c) + 1))" | sort -u)"
                fi
                ;;
        esac
        # what stands before the last colon is there already
        broken=${cur%"${cur##*:}"}
        [ -z "$broken" ] || COMPREPLY=("${COMPREPLY[@]#"$broken"}")
}
complete -F _kstat kstat
