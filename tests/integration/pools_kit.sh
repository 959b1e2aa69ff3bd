# shellcheck shell=sh
# pools_kit.sh: what the tests of pools share.  To be read behind lib.sh.

all_cpus=$(cat /sys/devices/system/cpu/online)
n_cpus=$(getconf _NPROCESSORS_ONLN)

without() { # CPU: the list of all others
        seq 0 $((n_cpus - 1)) | grep -vx "$1" | awk '
                { if (NR > 1 && $1 == end + 1) end = $1; else { if (NR > 1) out(); start = end = $1 } }
                function out() { text = text (text == "" ? "" : ",") (start == end ? start : start "-" end) }
                END { out(); print text }'
}

pools() { croft pool list -q | tr '\n' , | sed 's/,$//'; }
pool() { croft pool show "$1" --format json | jq -r "$2"; } # NAME JQ-EXPRESSION

# What its init may run on.
allowed() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "/proc/$(field "$1" .pid)/status"; }

# What each of its tasks may run on, a line each.
tasks_allowed() { # PARTITION
        tasks_mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
        tasks_path=$(sed -n 's/^0:://p' "/proc/$(field "$1" .pid)/cgroup" | sed 's,\(/croft\.[^/]*/[0-9]*\).*,\1,')
        find "$tasks_mount$tasks_path" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un | while read -r tasks_pid; do
                cat "/proc/$tasks_pid"/task/*/status 2>/dev/null
        done | sed -n 's/^Cpus_allowed_list:[[:space:]]*//p'
}

# The files that hold its CPUs, in whichever hierarchy has them.
cpus_files() { # PARTITION
        files_id=$(field "$1" .id 2>/dev/null || echo "${last_id:-}")
        for files_dir in $(t_cgroups); do ls "$files_dir"/croft.*/"$files_id"/cpuset.cpus 2>/dev/null; done
}

cgroup_of() { # PARTITION CONTROLLER: its directory in that v1 hierarchy
        for of_dir in $(t_cgroups); do
                case $of_dir in */"$2"/*) echo "$of_dir"/croft.*/"$(field "$1" .id)" ;; esac
        done
}

touch_inside() { croft exec "$1" -- touch "$2" </dev/null; } # PARTITION FILE
