# Completion of croft-remote(8) for bash.  Options come from the croft-remote that is called.

_croft_remote() {
        local cur=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} words=
        COMPREPLY=()
        case $last in
        --cert | --key | --ca | --allow-file | --socket)
                COMPREPLY=($(compgen -f -- "$cur"))
                return
                ;;
        --log-level) words="error warning notice info debug" ;;
        --address | --allow) words=$(compgen -A hostname) ;;
        --listen) words="[::] 0.0.0.0" ;;
        *)
                if [ "$COMP_CWORD" = 1 ]; then
                        words="connect serve --help --version"
                elif [[ $cur == -* ]]; then
                        words=$("${COMP_WORDS[0]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
                elif [ "${COMP_WORDS[1]}" = connect ]; then
                        words=$(compgen -A hostname)
                fi
                ;;
        esac
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _croft_remote croft-remote
