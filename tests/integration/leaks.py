#!/usr/bin/env python3
"""leaks.py read OUT: reads every file of /proc and /sys that can be read here, into a file (what would wait or act on a read is left out).

leaks.py judge BEFORE INSIDE AFTER LEAKS.md [no-views]: compares what a partition read with what the host read before and after, while the host
worked.  Prints for each file that shows the host's content, 'figures' (they changed meanwhile, and the partition saw them change) or
'facts' (they stood still), and what the list says of it: 'global', or 'NOT LISTED'.  Also what the list calls own and is the host's,
and what it calls refused and can be read.  Status 1 if there is any of these.

In LEAKS.md each row of a table begins with a `pattern` of paths in back-quotes (shell's, * matches slashes too; commas between), then
one of: own, refused, global.  With no-views, what is own by a view ("view" is the first word of the how) is passed over."""
import base64
import fnmatch
import os
import re
import signal
import stat
import sys

ROOTS = ["/proc", "/sys"]
# What acts, waits, is huge, or is of one process only.
SKIP = re.compile(r"^/proc/(\d+|kmsg|kcore|thread-self|sysrq-trigger|kpage.*|vmcore|bus/usb/.*)(/|$)|^/proc/self/(task|mem|pagemap|clear_refs"
                  r"|fd|fdinfo|map_files|cwd|root|exe|auxv|environ|maps|smaps.*|numa_maps|stack|syscall|ns)(/|$)"
                  r"|/trace_pipe$|/trace_marker|^/sys/kernel/(debug|tracing|security|config)/|^/sys/fs/cgroup/|/croft$"
                  r"|^/sys/devices/.*/(rom|config|resource\d.*|vpd)$|^/sys/bus/.*(autoprobe|uevent)$|/hot_add$")
LIMIT = 65536


class TooSlow(Exception):
    pass


def too_slow(_signal, _frame):
    raise TooSlow


def read_one(path):
    """The first bytes of a regular file, or None."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        signal.setitimer(signal.ITIMER_REAL, 1)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                data = b""
                while len(data) < LIMIT:
                    more = os.read(fd, LIMIT - len(data))
                    if not more:
                        break
                    data += more
                return data
            finally:
                os.close(fd)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except (OSError, TooSlow):
        return None


def walk(out):
    found = {}
    for root in ROOTS:
        for directory, names, files in os.walk(root):
            if directory == "/proc":
                names[:] = [n for n in names if not n.isdigit()] + ["self"]
                names[:] = sorted(set(names))
            names[:] = [n for n in names if not SKIP.search(os.path.join(directory, n))]
            for name in files:
                path = os.path.join(directory, name)
                if SKIP.search(path):
                    continue
                data = read_one(path)
                if data is not None:
                    found[path] = base64.b64encode(data).decode()
    # /proc/self is a link; /proc/net and /proc/mounts lead into it
    base = os.path.realpath("/proc/self")
    for directory, names, files in os.walk(base):
        names[:] = [n for n in names if not SKIP.search("/proc/self" + os.path.join(directory, n)[len(base):])]
        for name in files:
            path = "/proc/self" + os.path.join(directory, name)[len(base):]
            if not SKIP.search(path):
                data = read_one(os.path.join(directory, name))
                if data is not None:
                    found[path] = base64.b64encode(data).decode()
    with open(out, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{data} {path}\n" for path, data in found.items())


TOKEN = re.compile(rb"\d+")


def compare(before, inside, after):
    """'figures': the host's, as they were at some time between; 'facts': the host's, which don't change; None: others."""
    if before == after:
        return "facts" if inside == before and inside.strip() else None
    if inside in (before, after):
        return "figures"
    shape = TOKEN.sub(b"#", inside)
    if shape != TOKEN.sub(b"#", before) or shape != TOKEN.sub(b"#", after):
        # Lines come and go (lists of things): most of the lines are the same, those of zeros not counted.
        lines = {line for line in inside.splitlines() if any(int(t) for t in TOKEN.findall(line))}
        same = lines & (set(before.splitlines()) | set(after.splitlines()))
        return "figures" if len(lines) > 4 and len(same) * 2 > len(lines) else None
    numbers = [[int(t) for t in TOKEN.findall(x)] for x in (before, inside, after)]
    changed = [(b, i, a) for b, i, a in zip(*numbers) if b != a]
    near = [min(b, a) <= i <= max(b, a) and i not in (0, 1) for b, i, a in changed]
    return "figures" if near and sum(near) * 2 > len(near) else None


def rules(path, views):
    result = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if not line.startswith("| `") or len(cells) < 3:
                continue
            word = cells[1].split()[0].strip(",;:")
            if not views and word == "own" and cells[2].startswith("view"):
                word = "global"
            if word in ("own", "refused", "global"):
                result += [(pattern, word) for pattern in re.findall(r"`([^`]+)`", cells[0])]
    return result


def load(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        rows = [line.rstrip("\n").split(" ", 1) for line in file]
    return {path: base64.b64decode(data) for data, path in rows}


def judge(before, inside, after, list_path, views):
    table = rules(list_path, views)
    bad = 0
    for path, data in sorted(inside.items()):
        # The most precise rule is the longest.
        rule = max(((len(p), w) for p, w in table if fnmatch.fnmatchcase(path, p)), default=(0, "NOT LISTED"))[1]
        verdict = compare(before[path], data, after[path]) if path in before and path in after else None
        if path.startswith("/proc/self/") and not path.startswith("/proc/self/net/"):
            verdict = None  # the reader's own, whoever reads
        # What is a partition's own may begin with the same settings.
        wrong = (verdict and rule in ("refused", "NOT LISTED")) or (verdict == "figures" and rule == "own")
        wrong = wrong or (rule == "refused" and data.strip())
        if verdict or wrong:
            print(f"{'WRONG' if wrong else 'right'} {verdict or 'readable'} {rule}: {path}")
        bad += bool(wrong)
    return bad


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, too_slow)
    if sys.argv[1] == "read":
        walk(sys.argv[2])
    else:
        sys.exit(1 if judge(*[load(p) for p in sys.argv[2:5]], sys.argv[5], sys.argv[6:] != ["no-views"]) else 0)
