/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * commands.c - the table of commands: names, words, options and help.  Man pages and completion are compared with it by
 * tests.
 */
#include "cli.h"

#define NAMES "NAME..."
#define SET_OPTION                                                                                                     \
        {                                                                                                              \
                "set", 's', "KEY=VALUE", "set a property (repeatable; see: croft help properties)", true               \
        }
#define COLUMNS_OPTION                                                                                                 \
        {                                                                                                              \
                "columns", 'o', "LIST", "these columns: name,state,properties.memory.max, or all"                      \
        }

static const struct cli_option create_options[] = {
        {"image", 'i', "IMAGE", "the image to make it of; without: a native partition that shares the host's /usr"},
        SET_OPTION,
        {NULL},
};
static const struct cli_option set_options[] = {
        SET_OPTION,
        {"unset", 'u', "KEY", "back to the default (repeatable; KEY= does the same)", true},
        {NULL},
};
static const struct cli_option stop_options[] = {
        {"timeout", 't', "SECONDS", "how long init may take before all is killed (default: stop.timeout)"},
        {"force", 'f', NULL, "kill all processes at once; repairs Broken"},
        {NULL},
};
static const struct cli_option kill_options[] = {
        {"signal", 's', "SIGNAL", "name or number (default: KILL, which ends all its processes)"},
        {NULL},
};
static const struct cli_option remove_options[] = {
        {"force", 'f', NULL, "kill what runs in it first"},
        {NULL},
};
static const struct cli_option list_options[] = {
        {"state", 's', "STATE", "only those in that state: active, defined,loaded ..."},
        COLUMNS_OPTION,
        {NULL},
};
static const struct cli_option image_list_options[] = {
        COLUMNS_OPTION,
        {NULL},
};
static const struct cli_option exec_options[] = {
        {"tty", 't', NULL, "with a terminal (the default when input and output are terminals)"},
        {"no-tty", 'T', NULL, "without one"},
        {"user", 'u', "USER", "as this user: name or number, also USER:GROUP (default: root)"},
        {"directory", 'w', "DIR", "in this directory (default: the user's home)"},
        {"env", 'e', "KEY=VALUE", "with this variable (repeatable)", true},
        {NULL},
};
static const struct cli_option fsstat_options[] = {
        {"partition", 'z', "NAME", "only the mounts of this partition"},
        {"all", 'a', NULL, "idle mounts, too"},
        {NULL},
};
static const struct cli_option console_options[] = {
        {"escape", 'e', "KEY", "the key before q that detaches: ^a (default), ^b ..., or none"},
        {NULL},
};
static const struct cli_option log_options[] = {
        {"lines", 'n', "N", "only the last N lines"},
        {"raw", 'r', NULL, "no escaping on a terminal"},
        {NULL},
};
static const struct cli_option build_options[] = {
        {"suite", 's', "SUITE", "the release: bookworm, trixie ..."},
        {"mirror", 'm', "URL", "where packages come from (default: the host's own sources)"},
        {"variant", 'V', "VARIANT", "minbase (default), important, standard ..., see mmdebstrap(1)"},
        {"include", 'I', "PACKAGES", "further packages, separated by commas"},
        {NULL},
};
static const struct cli_option import_options[] = {
        {"name", 'n', "NAME", "what to call it (default: by its file)"},
        {NULL},
};
static const struct cli_option pool_options[] = {
        {"cpus", 'c', "LIST", "its CPUs: 0-3,6"},
        {NULL},
};

static const struct cli_option top_options[] = {
        {"delay", 'd', "SECONDS", "how often it looks (default: 2)"},
        {"sort", 's', "COLUMN",
                "order by name, state, cpu (default), memory, limit, swap, read, write, receive, transmit, load,\n"
                "cpu-pressure, memory-pressure, io-pressure or tasks"},
        {"reverse", 'r', NULL, "the other way round"},
        {"filter", 'f', "TEXT", "only partitions with this in their names"},
        {"batch", 'b', NULL, "lines instead of a screen; so does --format json or csv, and output that is no terminal"},
        {"count", 'n', "N", "in lines: end after so many turns"},
        {NULL},
};

static const struct cli_option error_print_options[] = {
        {"attempt", 'a', "N", "only what belongs to that attempt"},
        {"reverse", 'r', NULL, "causes first, what they led to indented"},
        {"follow", 'f', NULL, "go on with what is recorded from now on; with --attempt until that is over"},
        {"from", 'n', "SEQ", "only from this number on"},
        {NULL},
};
static const struct cli_option error_attend_options[] = {
        {"attempt", 'a', "N", "the attempt there that this one takes part in (needed)"},
        {"of", 'o', "NAME", "what the partition is called there (default: the same)"},
        {"patience", 't', "SECONDS", "how long a line may be cut before it is given up (default: 60)"},
        {"tls", 'T', NULL, "by croft-remote(8) instead of ssh(1); HOST may have a port: HOST:PORT"},
        {NULL},
};

#define PARTITION_OPTION                                                                                               \
        {                                                                                                              \
                "partition", 'z', "NAME", "of this partition (default: global's own; of list: all)"                    \
        }
static const struct cli_option devid_options[] = {
        PARTITION_OPTION,
        {NULL},
};
static const struct cli_option devid_alloc_options[] = {
        PARTITION_OPTION,
        {"preferred", 'p', "NUMBER", "just that number, or the group from there on"},
        {"count", 'n', "N", "so many numbers, all or none"},
        {"within", 'w', "N", "from one number of the group to the next (default: 1)"},
        {"between", 'b', "N", "the first one is a multiple of this (default: 1)"},
        {"virtual", 'V', "NUMBER", "what the device is called inside, for the list"},
        {"assign", 'a', NULL, "they are in use at once"},
        {"node", 'N', "NAME", "make this node in the partition's /dev (of a group NAME0, NAME1 ...)"},
        {NULL},
};

static const struct cli_option device_add_options[] = {
        {"as", 'n', "NAME", "what it is called in the partition's /dev (default: the same)"},
        {"access", 'a', "ACCESS", "r, w or rw (default: rw)"},
        {"mode", 'm', "OCTAL", "permissions of the node (default: those on the host)"},
        {"uid", 'u', "N", "its owner inside (default: root)"},
        {"gid", 'g', "N", "its group inside (default: root)"},
        {NULL},
};

static const struct cli_command image_commands[] = {
        {"build", NULL, "NAME --suite SUITE", "make an image by mmdebstrap", NULL, build_options, 1, 1, false,
                cli_cmd_image_build, NULL, "image"},
        {"import", NULL, "FILE|DIR [--name NAME]", "make an image of an archive or a tree",
                "FILE is a tar of a root, an LXC or Incus image (unified, or META,ROOTFS for a split one), or an OCI\n"
                "layout; DIR is a root or an OCI layout.",
                import_options, 1, 1, false, cli_cmd_image_import, NULL, "image"},
        {"list", "ls", NULL, "the images", NULL, image_list_options, 0, 0, false, cli_cmd_image_list, NULL, "image"},
        {"show", NULL, NAMES, "everything about images", NULL, NULL, 1, CLI_ANY, false, cli_cmd_image_show, NULL,
                "image"},
        {"remove", "rm", NAMES, "remove images that no partition uses", NULL, NULL, 1, CLI_ANY, false,
                cli_cmd_image_remove, NULL, "image"},
        {NULL},
};

static const struct cli_command pool_commands[] = {
        {"create", NULL, "NAME [--cpus LIST]", "make a pool of CPUs that no other has", NULL, pool_options, 1, 1, false,
                cli_cmd_pool_create, NULL, "pool"},
        {"set", NULL, "NAME --cpus LIST", "give a pool just these CPUs, out of others if need be", NULL, pool_options,
                1, 1, false, cli_cmd_pool_set, NULL, "pool"},
        {"bind", NULL, "PARTITION POOL", "move a partition to the CPUs of a pool, while it runs", NULL, NULL, 2, 2,
                false, cli_cmd_pool_bind, NULL, "pool"},
        {"list", "ls", NULL, "the pools", NULL, image_list_options, 0, 0, false, cli_cmd_pool_list, NULL, "pool"},
        {"show", NULL, NAMES, "everything about pools", NULL, NULL, 1, CLI_ANY, false, cli_cmd_pool_show, NULL, "pool"},
        {"remove", "rm", NAMES, "remove pools that no partition is bound to", NULL, NULL, 1, CLI_ANY, false,
                cli_cmd_pool_remove, NULL, "pool"},
        {NULL},
};

static const struct cli_command devid_commands[] = {
        {"alloc", NULL, "FAMILY INSTANCE", "get a number that nobody else has",
                "FAMILY is char or block (majors for local use); c60, b120 ...: the minors of a major; dm, zram, nbd "
                "or\n"
                "cuse: devices of these drivers.  An INSTANCE that has a number has the same one again.",
                devid_alloc_options, 2, 2, false, cli_cmd_devid_alloc, NULL, "devid"},
        {"assign", NULL, "FAMILY INSTANCE", "say that its numbers are in use", NULL, devid_options, 2, 2, false,
                cli_cmd_devid_assign, NULL, "devid"},
        {"release", NULL, "FAMILY INSTANCE", "give its numbers back", NULL, devid_options, 2, 2, false,
                cli_cmd_devid_release, NULL, "devid"},
        {"list", "ls", NULL, "who has which numbers", NULL, devid_options, 0, 0, false, cli_cmd_devid_list, NULL,
                "devid"},
        {"show", NULL, "FAMILY INSTANCE", "everything about one", NULL, devid_options, 2, 2, false, cli_cmd_devid_show,
                NULL, "devid"},
        {NULL},
};

static const struct cli_command device_commands[] = {
        {"add", NULL, "NAME DEVICE [--as NAME] [--access r|w|rw]", "export a device of the host to a running partition",
                "DEVICE is a path below /dev, or the CDI name of a device, vendor/class=name.  It must be listed in\n"
                "devexports(5).",
                device_add_options, 2, 2, false, cli_cmd_device_add, NULL, "device"},
        {"remove", "rm", "NAME DEVICE...", "take devices back, by their names inside or CDI names", NULL, NULL, 2,
                CLI_ANY, false, cli_cmd_device_remove, NULL, "device"},
        {"list", "ls", "[NAME]", "which devices are exported", NULL, NULL, 0, 1, false, cli_cmd_device_list, NULL,
                "device"},
        {NULL},
};

#define EXTENSIONS "EXTENSION..."

static const struct cli_option kext_register_options[] = {
        {"package", 'a', "PACKAGE", "all modules of an installed package (repeatable)", true},
        {NULL},
};

static const struct cli_option kext_grant_options[] = {
        {"local", 'l', NULL, "no other partition may have it meanwhile"},
        {"major", 'm', NULL, "it may take majors of devices"},
        {"previous", 'k', NULL, "it keeps working with the generation before the current one"},
        {"params", 'p', "LIST", "parameters that it may be loaded with: NAME,NAME=VALUE ..."},
        {NULL},
};

static const struct cli_option kext_list_options[] = {
        {"holders", 'o', NULL, "who holds what the kernel has loaded for partitions"},
        {NULL},
};

static const struct cli_option kext_unload_options[] = {
        {"force", 'f', NULL, "by global: those that hold it lose it"},
        {NULL},
};

static const struct cli_option kext_scan_options[] = {
        {"last", 'l', NULL, "only what the last scan has found; without PARTITION: when and why that was, of each"},
        {NULL},
};

static const struct cli_command kext_commands[] = {
        {"register", NULL, "[FILE|MODULE]... [-a PACKAGE]", "take files for what partitions may be given",
                "FILE is a module's file (.ko, .ko.xz, .ko.zst, .ko.gz), or an object of BPF programs for control "
                "groups\n"
                "(NAME.bpf.o), MODULE one of the running kernel.  What it needs is registered, too.  A newer file of "
                "a\n"
                "name supersedes the one before.",
                kext_register_options, 0, CLI_ANY, false, cli_cmd_kext_register, NULL, "kext"},
        {"id", NULL, "FILE...", "what identifies a file: its SHA-256, as sha256sum prints it",
                "With --format, all that the file says of itself, and whether it is registered.", NULL, 1, CLI_ANY,
                false, cli_cmd_kext_id, NULL, "kext"},
        {"list", "ls", "[PARTITION] [--holders]", "what is registered, or what a partition is granted", NULL,
                kext_list_options, 0, 1, false, cli_cmd_kext_list, NULL, "kext"},
        {"show", NULL, EXTENSIONS, "everything about extensions, by name or SHA-256", NULL, NULL, 1, CLI_ANY, false,
                cli_cmd_kext_show, NULL, "kext"},
        {"grant", NULL, "PARTITION EXTENSION [--local] [--major] [--previous] [--params LIST]",
                "let a partition be given an extension",
                "EXTENSION is registered, or ALL.  Without a grant no partition is given any.", kext_grant_options, 2,
                2, false, cli_cmd_kext_grant, NULL, "kext"},
        {"ungrant", NULL, "PARTITION EXTENSION...", "take grants back", NULL, NULL, 2, CLI_ANY, false,
                cli_cmd_kext_ungrant, NULL, "kext"},
        {"check", NULL, "PARTITION FILE [PARAMETER...]", "would the partition be given these bytes?",
                "Exit status 7: they are no registered extension; 4: revoked, not granted, or a parameter isn't "
                "allowed;\n"
                "8: superseded.",
                NULL, 2, CLI_ANY, false, cli_cmd_kext_check, NULL, "kext"},
        {"load", NULL, "PARTITION EXTENSION [PARAMETER...]", "load an extension for a running partition",
                "It must be granted.  What it needs is loaded, too.  What another partition has is shared; of a BPF "
                "object\n"
                "each has its own.  Inside the partition this is `croft-extension load` or insmod.",
                NULL, 2, CLI_ANY, false, cli_cmd_kext_load, NULL, "kext"},
        {"unload", NULL, "PARTITION|global EXTENSION... [--force]", "take loaded extensions away from a partition",
                "It leaves the kernel when nobody holds it and nobody uses it any more.  'global' takes it out for "
                "all.",
                kext_unload_options, 2, CLI_ANY, false, cli_cmd_kext_unload, NULL, "kext"},
        {"scan", NULL, "[PARTITION] [--last]", "which files of modules a partition stores, and of which application",
                "Nothing is loaded.  What is odd about a file is said beside it.  A partition is scanned by itself "
                "when "
                "it\n"
                "is made, and after packages in it have changed.",
                kext_scan_options, 0, 1, false, cli_cmd_kext_scan, NULL, "kext"},
        {"sync", NULL, "PARTITION", "put the current generation in the place of superseded ones in a running partition",
                "A file that isn't a superseded extension byte for byte stays as it is.", NULL, 1, 1, false,
                cli_cmd_kext_sync, NULL, "kext"},
        {"provide", NULL, "PARTITION EXTENSION [PATH]", "put a copy of an extension into a running partition",
                "It must be granted.  Without PATH it is put where it was registered from.  What is there already "
                "stays.",
                NULL, 2, 3, false, cli_cmd_kext_provide, NULL, "kext"},
        {"supersede", NULL, EXTENSIONS, "no partition is given it any more, until it is registered again", NULL, NULL,
                1, CLI_ANY, false, cli_cmd_kext_supersede, NULL, "kext"},
        {"revoke", NULL, EXTENSIONS, "no partition is ever given it again", NULL, NULL, 1, CLI_ANY, false,
                cli_cmd_kext_revoke, NULL, "kext"},
        {NULL},
};

static const struct cli_command error_commands[] = {
        {"print", NULL, "NAME", "why something failed: all messages, outermost first, their causes indented",
                "From the kernel's memory, without croftd.  --format text, json or xml.  NAME may be 'global'.",
                error_print_options, 1, 1, false, cli_cmd_error_print, NULL, "error", NULL, true},
        {"attend", NULL, "NAME HOST --attempt N",
                "bring what another machine records about an attempt into the record here",
                "By ssh(1), as root, or by TLS; a cut line is taken up again.  $CROFT_SSH: another command than ssh;\n"
                "$CROFT_REMOTE: than `croft-remote connect`.  Ends with the attempt there.",
                error_attend_options, 2, 2, false, cli_cmd_error_attend, NULL, "error"},
        {"list", "ls", NULL, "which partitions have errors on record", NULL, NULL, 0, 0, false, cli_cmd_error_list,
                NULL, "error"},
        {"clear", NULL, NAMES, "empty the records of partitions", NULL, NULL, 1, CLI_ANY, false, cli_cmd_error_clear,
                NULL, "error"},
        {NULL},
};

const struct cli_command cli_commands[] = {
        {"create", NULL, "NAME [--image IMAGE] [-s KEY=VALUE]...", "define a partition", NULL, create_options, 1, 1,
                false, cli_cmd_create},
        {"start", NULL, NAMES, "start partitions", NULL, NULL, 1, CLI_ANY, false, cli_cmd_start},
        {"stop", NULL, NAMES, "ask init to stop, then kill what is left", NULL, stop_options, 1, CLI_ANY, false,
                cli_cmd_stop},
        {"restart", NULL, NAMES, "stop, then start", NULL, stop_options, 1, CLI_ANY, false, cli_cmd_restart},
        {"kill", NULL, NAMES, "send a signal to init", NULL, kill_options, 1, CLI_ANY, false, cli_cmd_kill},
        {"load", NULL, NAMES, "only the first phase of start: configured in the kernel, nothing runs", NULL, NULL, 1,
                CLI_ANY, false, cli_cmd_load},
        {"freeze", NULL, NAMES, "halt every process where it stands", NULL, NULL, 1, CLI_ANY, false, cli_cmd_freeze},
        {"thaw", NULL, NAMES, "let them go on", NULL, NULL, 1, CLI_ANY, false, cli_cmd_thaw},
        {"exec", NULL, "NAME [-tT] [-u USER] [-w DIR] [-e K=V]... -- CMD...", "run a command in a partition",
                "The exit status is the command's own, 128+N after signal N, 126 when it can't be run, 127 when it\n"
                "isn't found, 125 when croft failed.",
                exec_options, 1, 1, true, cli_cmd_exec},
        {"console", NULL, "NAME", "the partition's console, what was said before it first",
                "Ctrl-a q detaches, Ctrl-a Ctrl-a sends one Ctrl-a.", console_options, 1, 1, false, cli_cmd_console},
        {"log", NULL, "NAME", "what init and the console said", NULL, log_options, 1, 1, false, cli_cmd_log},
        {"list", "ls", "[NAME...]", "the partitions", NULL, list_options, 0, CLI_ANY, false, cli_cmd_list},
        {"show", NULL, NAMES, "everything about partitions", NULL, NULL, 1, CLI_ANY, false, cli_cmd_show},
        {"set", NULL, "NAME KEY=VALUE...", "change properties, all or none of them", NULL, set_options, 1, CLI_ANY,
                false, cli_cmd_set},
        {"rename", "mv", "NAME NEW", "give another name", NULL, NULL, 2, 2, false, cli_cmd_rename},
        {"remove", "rm", NAMES, "remove partitions with all that is in them", NULL, remove_options, 1, CLI_ANY, false,
                cli_cmd_remove},
        {"error", NULL, "COMMAND ...", "why something failed: the record of errors of each partition", NULL, NULL, 0, 0,
                false, NULL, error_commands},
        {"devid", NULL, "COMMAND ...", "device numbers for partitions, from a table in the kernel", NULL, NULL, 0, 0,
                false, NULL, devid_commands},
        {"device", NULL, "COMMAND ...", "devices of the host in running partitions", NULL, NULL, 0, 0, false, NULL,
                device_commands},
        {"kext", NULL, "COMMAND ...", "kernel extensions that partitions may be given", NULL, NULL, 0, 0, false, NULL,
                kext_commands},
        {"image", NULL, "COMMAND ...", "what partitions are made of", NULL, NULL, 0, 0, false, NULL, image_commands},
        {"pool", NULL, "COMMAND ...", "pools of CPUs, and which partition runs on which", NULL, NULL, 0, 0, false, NULL,
                pool_commands},
        {"check", NULL, NULL, "what this kernel offers, and what is lost without it", NULL, NULL, 0, 0, false,
                cli_cmd_check},
        {"kstat", NULL, "[-Cjlpq] [-z NAME] [MODULE:INSTANCE:NAME]...", "statistics of the kernel, see kstat(8)",
                "All options and operands of kstat(8), and: list, read MODULE:INSTANCE:NAME, show KID.", NULL, 0,
                CLI_ANY, false, NULL, NULL, NULL, cli_cmd_kstat},
        {"fsstat", NULL, "[-a] [-z NAME] [INTERVAL [COUNT]]", "what is read and written on each mount of partitions",
                "First all since the mount, then, each INTERVAL seconds, what was done since. Only mounts where "
                "something\n"
                "was done, unless -a is given. What counts and what doesn't: mount.stats in croft-properties(7).",
                fsstat_options, 0, 2, false, cli_cmd_fsstat},
        {"top", NULL, "[-d SECONDS] [-s COLUMN] [-b [-n N]]", "what partitions use, live", "h shows the keys.",
                top_options, 0, 0, false, cli_cmd_top},
        {"events", NULL, "[NAME...]", "what happens, as it happens", NULL, NULL, 0, CLI_ANY, false, cli_cmd_events},
        {"help", NULL, "[COMMAND...]", "this help, or that of a command", NULL, NULL, 0, 2, false, cli_cmd_help},
        {"version", NULL, NULL, "the versions of croft and croftd", NULL, NULL, 0, 0, false, cli_cmd_version},
        {NULL},
};
