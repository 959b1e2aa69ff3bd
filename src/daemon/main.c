/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croftd: options, signals, and the order in which things are opened and closed.
 *
 * The main thread waits for signals and for what happens by itself to partitions; requests run in threads of their own.
 * When croftd ends, partitions run on.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/str.h"
#include "daemon/api.h"
#include "daemon/api_metrics.h"
#include "daemon/fdstore.h"
#include "daemon/host_open.h"
#include "daemon/host_parts.h"
#include "daemon/life.h"

#include <getopt.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

static const char usage[] =
        "Usage: croftd [OPTION]...\n"
        "The daemon of croft: keeps partitions and serves `croft` on RUN-DIR/croft.sock.\n"
        "\n"
        "  --state-dir DIR      definitions, images and the partitions' files (/var/lib/croft)\n"
        "  --run-dir DIR        sockets, and what goes with the machine's power (/run/croft)\n"
        "  --cgroup PATH        build below this control group, as in /proc/self/cgroup (the own one)\n"
        "  --config-dir DIR     what the administrator has written: devexports, kexts (/etc/croft)\n"
        "  --cdi-dirs DIR:DIR   where CDI device files are; the last one that has a device wins (/etc/cdi:/run/cdi)\n"
        "  --tools-dir DIR      static programs that appear in partitions below /run/croft/bin\n"
        "  --metrics-listen ADDRESS:PORT\n"
        "                       serve /metrics there, too, by TCP, to whoever can reach it; [127.0.0.1:]PORT will do\n"
        "  --metrics-public     allow an address that isn't loopback; it is not encrypted and asks nobody who he is\n"
        "  --log-level LEVEL    error, warning, notice, info or debug (notice)\n"
        "  --list-crash-points  where CROFT_CRASH_AT can end a test build; then exit\n"
        "  --help, --version\n"
        "\n"
        "It runs in the foreground. SIGTERM ends it; partitions run on, and the next croftd takes them over.\n";

struct options {
        struct host_options host;
        enum log_level level;
        const char *metrics_listen; /* NULL: not on TCP */
        bool metrics_public, list_crash_points, exit;
};

static int parse_level(const char *text, enum log_level *ret)
{
        static const struct {
                const char *name;
                enum log_level level;
        } levels[] = {{"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
                {"info", LOG_LEVEL_INFO}, {"debug", LOG_LEVEL_DEBUG}};

        for (size_t i = 0; i < ELEMENTS(levels); i++)
                if (strcmp(levels[i].name, text) == 0) {
                        *ret = levels[i].level;
                        return 0;
                }
        fprintf(stderr, "croftd: '%s' is no level; give error, warning, notice, info or debug\n", text);
        return -EINVAL;
}

static int take_option(int c, struct options *o)
{
        switch (c) {
        case 's':
                o->host.state_dir = optarg;
                return 0;
        case 'r':
                o->host.run_dir = optarg;
                return 0;
        case 'c':
                o->host.cgroup = optarg;
                return 0;
        case 't':
                o->host.tools_dir = optarg;
                return 0;
        case 'C':
                o->host.config_dir = optarg;
                return 0;
        case 'd':
                o->host.cdi_dirs = optarg;
                return 0;
        case 'l':
                return parse_level(optarg, &o->level);
        case 'm':
                o->metrics_listen = optarg;
                return 0;
        case 'M':
                o->metrics_public = true;
                return 0;
        case 'p':
                o->list_crash_points = true;
                return 0;
        case 'h':
                (void)fputs(usage, stdout);
                o->exit = true;
                return 0;
        case 'v':
                (void)puts("croftd " CROFT_VERSION);
                o->exit = true;
                return 0;
        default:
                (void)fputs("Try `croftd --help`.\n", stderr);
                return -EINVAL;
        }
}

static int parse_options(int argc, char **argv, struct options *ret)
{
        static const struct option table[] = {{"state-dir", required_argument, NULL, 's'},
                {"run-dir", required_argument, NULL, 'r'}, {"cgroup", required_argument, NULL, 'c'},
                {"tools-dir", required_argument, NULL, 't'}, {"config-dir", required_argument, NULL, 'C'},
                {"cdi-dirs", required_argument, NULL, 'd'}, {"log-level", required_argument, NULL, 'l'},
                {"metrics-listen", required_argument, NULL, 'm'}, {"metrics-public", no_argument, NULL, 'M'},
                {"list-crash-points", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};
        int c, r = 0;

        *ret = (struct options){.host = {.state_dir = "/var/lib/croft",
                                        .run_dir = "/run/croft",
                                        .config_dir = "/etc/croft",
                                        .cdi_dirs = "/etc/cdi:/run/cdi"},
                .level = LOG_LEVEL_NOTICE};
        while (r == 0 && !ret->exit && (c = getopt_long(argc, argv, "", table, NULL)) >= 0)
                r = take_option(c, ret);
        if (r == 0 && optind < argc && !ret->exit) {
                fprintf(stderr, "croftd: '%s' is not expected; try `croftd --help`\n", argv[optind]);
                r = -EINVAL;
        }
        return r;
}

/* --- the process ---------------------------------------------------------------------------------------------------
 */

static void list_crash_points(void)
{
#ifdef CROFT_CRASH_POINTS
        life_print_crash_points();
#endif
}

/* Each descriptor of each partition, and a connection for each client: as many as we may have.  Wardens get the usual
 * limits back (warden_spawn()). */
static void raise_limits(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer partitions fit then, and say so */
        }
        /* Wardens inherit it, partitions don't.  Without CAP_SYS_RESOURCE it stays as it is. */
        (void)fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "-900");
}

/* To load programs takes 35 MB for a moment (types of the kernel).  With thresholds of its own choice, which grow with
 * what is freed, malloc would keep them. */
static void give_memory_back(void)
{
        (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
        (void)mallopt(M_TRIM_THRESHOLD, 128 * 1024);
        (void)mallopt(M_ARENA_MAX, 4); /* connections are threads: not one for each that was ever at work at once */
}

static int open_signals(struct croft_error *err)
{
        const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
        sigset_t set;
        int fd;

        (void)signal(SIGPIPE, SIG_IGN);
        (void)signal(SIGXFSZ, SIG_IGN); /* a full disk is an error, not an end */
        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTS(signals); i++)
                (void)sigaddset(&set, signals[i]);
        (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* before any thread is there: all inherit it */
        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return fd < 0 ? croft_error_set(err, errno, "watch signals") : fd;
}

/* False: it is time to end. */
static bool take_signals(struct life *life, int fd)
{
        struct signalfd_siginfo info;
        bool go_on = true;

        while (read(fd, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo == SIGCHLD)
                        life_reap(life);
                else if (info.ssi_signo == SIGHUP)
                        life_reload(life);
                else
                        go_on = false;
        }
        return go_on;
}

static void serve(struct life *life, int signals)
{
        struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = life_fd(life), .events = POLLIN}};

        for (;;) {
                if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
                        return;
                if (fds[0].revents && !take_signals(life, signals))
                        return;
                if (fds[1].revents)
                        life_dispatch(life);
        }
}

static void *autostart(void *context)
{
        life_autostart(context);
        return NULL;
}

/* With life and host open: serves until a signal ends it. */
static int run(
        struct daemon_host *h, struct life *life, const struct options *options, int signals, struct croft_error *err)
{
        _cleanup_close_ int listen = sock_listen(h->host.run_dir, "croft.sock", SOCK_STREAM, 0600, err);
        struct metrics_server *metrics = NULL;
        struct api *api = NULL;
        pthread_t thread;
        bool started;
        int r;

        if (listen < 0)
                return listen;
        r = api_start(life, h->host.images, &h->host, listen, &api, err);
        if (r < 0)
                return r;
        if (options->metrics_listen)
                r = metrics_server_start(api, options->metrics_listen, options->metrics_public, &metrics, err);
        if (r < 0) {
                api_stop(api);
                return croft_error_prefix(err, "serve metrics");
        }
        started = pthread_create(&thread, NULL, autostart, life) == 0;
        (void)sd_notify(0, "READY=1");
        log_say(LOG_LEVEL_NOTICE, "croftd " CROFT_VERSION " is ready");
        serve(life, signals);
        (void)sd_notify(0, "STOPPING=1");
        life_shutdown(life);
        metrics_server_stop(metrics);
        api_stop(api);
        if (started)
                (void)pthread_join(thread, NULL);
        (void)unlinkat(h->host.run_dir, "croft.sock", 0);
        return 0;
}

/* Partitions run all the same; the consequence is said with the cause. */
static void say_what_lacks(const struct host *host)
{
        for (int i = 0; i < HOST_PARTS; i++) {
                struct probe_result part;

                host_part_judge(host, i, &part);
                if (part.lost)
                        log_error(LOG_LEVEL_NOTICE, &host->lacks[i], "%s lacks: %s", part.name, part.lost);
        }
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct options options;
        struct daemon_host h;
        struct life *life = NULL;
        bool clean = false;
        int signals, r;

        if (parse_options(argc, argv, &options) < 0)
                return CROFT_EXIT_USAGE;
        if (options.exit)
                return CROFT_EXIT_OK;
        if (options.list_crash_points) {
                list_crash_points();
                return CROFT_EXIT_OK;
        }
        log_open("croftd", options.level);
        give_memory_back();
        (void)umask(077);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        fdstore_open();
        signals = open_signals(&err);
        r = signals < 0 ? signals : daemon_host_open(&options.host, &h, &err);
        if (r == 0) {
                raise_limits();
                say_what_lacks(&h.host);
                r = life_open(&h.host, h.store, &life, &err);
                if (r == 0)
                        r = run(&h, life, &options, signals, &err);
                clean = life && life_running(life) == 0;
                life = life_free(life);
                daemon_host_close(&h, clean);
        }
        if (r < 0)
                log_error(LOG_LEVEL_ERROR, &err, "can't go on");
        return r < 0 ? (int)croft_error_exit(&err) : CROFT_EXIT_OK;
}
