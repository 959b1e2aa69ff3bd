#!/bin/bash
# where: here
# The completion of bash offers what croft knows.  croftd isn't needed: a croft of a few lines stands in for the names that come from it.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"

mkdir "$T/bin"
cat >"$T/bin/croft" <<SH
#!/bin/sh
case "\$*" in
*help*) exec "$BUILD/croft" "\$@" ;;
*"--socket /other"*list*) echo elsewhere ;;
*"image list"*) printf 'deb12\ndeb13\n%064d\n' 0 ;;
*"error list"*) printf 'global\nweb\nwebmail\n' ;;
*"csv"*"devid list"*)
        printf '%s\n' 'web,char,drv0,60,c,60:*,,assigned,5.0' 'web,c60,unit0,0,c,60:0,7,reserved,1.0' 'web,c60,$(evil),1,c,60:1,,reserved,1.0' \
                'db,char,drv1,61,c,61:*,,reserved,1.0' '"b,c",block,"a,b",120,b,120:*,,reserved,1.0'
        ;;
*"kext list"*) printf 'brd\ndummy\ndummy\n' ;;
*"pool list"*) printf 'default\nfast\n' ;;
*list*) printf 'db\nweb\nweb2\n' ;;
esac
SH
chmod +x "$T/bin/croft"
PATH=$T/bin:$PATH

# WORD...: what is offered for the last of the words, in one line
offered() {
        bash --norc -c '
                compopt() { :; }
                . "$0"
                COMP_WORDS=("$@")
                COMP_CWORD=$(($# - 1))
                _croft
                printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " " | sed "s/ *\$//"
        ' "$t_top/completions/croft.bash" "$@"
}

t_is "a command is completed" "$(offered croft st)" "start stop"
t_is "a subcommand is completed" "$(offered croft image im)" import
t_is "help completes a command" "$(offered croft help tha)" thaw
t_is "help completes the subcommands of image" "$(offered croft help image re)" remove
t_is "names of partitions come from croftd" "$(offered croft stop we)" "web web2"
t_is "a second name is completed, too" "$(offered croft stop web d)" db
t_is "console takes one name only" "$(offered croft console web d)" ""
t_is "the socket of the line is asked" "$(offered croft --socket /other stop "")" elsewhere
t_is "images are completed" "$(offered croft create x --image deb)" "deb12 deb13"
t_is "images are completed behind '='" "$(offered croft create x --image = deb)" "deb12 deb13"
t_is "images are removed by name" "$(offered croft image remove "")" "deb12 deb13"
t_is "help completes the subcommands of pool" "$(offered croft help pool b)" bind
t_is "a partition is bound" "$(offered croft pool bind we)" "web web2"
t_is "to a pool" "$(offered croft pool bind web "")" "default fast"
t_is "a third word isn't offered" "$(offered croft pool bind web fast "")" ""
t_is "pools are removed by name" "$(offered croft pool remove fa)" fast
t_is "a subcommand of error is completed" "$(offered croft error pr)" print
t_is "help completes the subcommands of error" "$(offered croft help error c)" clear
t_is "what has a record of errors can be printed" "$(offered croft error print "")" "global web webmail"
t_is "one at a time" "$(offered croft error print web g)" ""
t_is "it can be cleared" "$(offered croft error clear "")" "global web webmail"
t_is "several of them, too" "$(offered croft error clear web we)" "web webmail"
t_is "errors have an XML form" "$(offered croft error print web --format "")" "json text xml"
t_is "the number of an attempt isn't taken for the name" "$(offered croft error print --attempt 2 gl)" global
t_is "a subcommand of devid is completed" "$(offered croft devid re)" release
t_is "help completes the subcommands of devid" "$(offered croft help devid a)" "alloc assign"
t_is "families are completed, with the minors of majors that are given out" "$(offered croft devid alloc "")" "block c60 c61 char cuse dm loop nbd zram"
t_is "then instances of the family" "$(offered croft devid release char "")" "drv0 drv1"
t_is "but none that a shell would run" "$(offered croft devid show c60 "")" unit0
t_is "a third word isn't offered there" "$(offered croft devid release char drv0 "")" ""
t_is "nor is there one of list" "$(offered croft devid list "")" ""
t_is "the number of an option isn't the family" "$(offered croft devid alloc -n 4 ch)" char
t_is "numbers of a partition are asked for by its name" "$(offered croft devid alloc -z we)" "web web2"
t_is "keys are completed with their '='" "$(offered croft create x -s memory.)" "memory.max= memory.swap.max="
t_is "keys stand bare in set" "$(offered croft set web stop)" stop.timeout=
t_is "a key that is a prefix gets no '='" "$(offered croft set web env)" env.
t_is "unset takes a key" "$(offered croft set web --unset cpu.w)" cpu.weight
t_is "states are completed" "$(offered croft list -s fro)" frozen
t_is "states are completed for the alias, too" "$(offered croft ls --state fro)" frozen
t_is "formats are completed everywhere" "$(offered croft image list --format "")" "csv json table yaml"
t_is "signals are completed" "$(offered croft kill -s te)" TERM
t_is "a value isn't taken for the command" "$(offered croft --format json st)" "start stop"
t_is "a subcommand of device is completed" "$(offered croft device re)" remove
t_is "a device is exported to a partition" "$(offered croft device add we)" "web web2"
t_is "from below /dev" "$(offered croft device add web /dev/nul)" /dev/null
t_is "a subcommand of kext is completed" "$(offered croft kext reg)" register
t_is "extensions are completed" "$(offered croft kext revoke du)" dummy
t_is "they are granted to partitions" "$(offered croft kext grant we)" "web web2"
t_is "one by one or all" "$(offered croft kext grant web "")" "ALL brd dummy"
t_is "a file is identified" "$(offered croft kext id /dev/nul)" /dev/null
t_is "with r, w or both" "$(offered croft device add web /dev/null --access r)" "r rw"
t_is "options of the command inside exec are not ours" "$(offered croft exec web -- ls --fo)" ""
t_is "an option of exec is completed after the name" "$(offered croft exec web --us)" --user

# All that help tells is offered, for every command.
same=yes
for command in $(croft help -q | grep -v '^-') image\ {build,import,list,show,remove} pool\ {create,set,bind,list,show,remove} \
        error\ {print,list,clear} devid\ {alloc,assign,release,list,show} device\ {add,remove,list} kext\ {register,id,list,show,grant,ungrant,check,scan,supersede,revoke}; do
        # shellcheck disable=SC2086 # "image build" is two words
        want=$("$BUILD/croft" help $command | grep -oE -- '--[a-z][a-z-]*' | sort -u | tr '\n' ' ')
        case $command in image | pool | error | devid | device | kext) continue ;; esac
        # shellcheck disable=SC2086
        got=$(offered croft $command --)
        for option in $want; do
                case " $got " in *" $option "*) ;; *)
                        same=no
                        t_note "$command lacks $option: $got"
                        ;;
                esac
        done
done
t_is "every option that help names is offered" "$same" yes
# WORD...: as offered, for croft-remote
offered_remote() {
        bash --norc -c '
                . "$0"
                COMP_WORDS=("$@")
                COMP_CWORD=$(($# - 1))
                _croft_remote
                printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " " | sed "s/ *\$//"
        ' "$t_top/completions/croft-remote.bash" "$@"
}
t_is "croft-remote completes what it does" "$(offered_remote croft-remote s)" serve
t_is "and the options that help names" "$(offered_remote croft-remote serve --l)" "--listen --log-level"
t_is "and levels" "$(offered_remote croft-remote serve --log-level in)" info
# kstat: the same stand-in, for a program that prints keys
cat >"$T/bin/kstat" <<'SH'
#!/bin/sh
case "$*" in
-l) printf 'cpu:0:sys:idle\ncpu:0:sys:user\ncpu:1:sys:idle\nsd:0:sda:reads\n' ;;
*class*) printf 'cpu:0:sys:class\tmisc\nsd:0:sda:class\tdisk\n' ;;
esac
SH
chmod +x "$T/bin/kstat"

# LINE: what is offered at its end, for a shell that breaks words at colons
offered_kstat() {
        bash --norc -c '
                compopt() { :; }
                . "$0"
                COMP_LINE=$1
                COMP_POINT=${#1}
                read -ra COMP_WORDS <<<"${1//:/ : }"
                [[ $1 == *[[:space:]] ]] && COMP_WORDS+=("")
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                _kstat
                printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " " | sed "s/ *\$//"
        ' "$t_top/completions/kstat.bash" "$1"
}
t_is "kstat completes modules" "$(offered_kstat 'kstat ')" "cpu sd"
t_is "and instances behind a colon" "$(offered_kstat 'kstat -p cpu:')" "0 1"
t_is "and values" "$(offered_kstat 'kstat cpu:0:sys:i')" idle
t_is "and classes" "$(offered_kstat 'kstat -c d')" disk
t_is "and partitions" "$(offered_kstat 'kstat -z we')" "web web2"
t_done
