"""What the house checks (tools/check-*) share: which files there are, and how findings are told."""
import os
import subprocess
import sys


def root_of(arguments):
    """The tree to check: the only argument, or the one this script is in."""
    if len(arguments) > 1:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} [ROOT]")
    return os.path.abspath(arguments[0] if arguments else os.path.join(os.path.dirname(__file__), ".."))


def files(root, *endings):
    """Tracked and new files below root with one of the endings (all without any), as relative paths."""
    git = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if git.returncode == 0 and os.path.exists(os.path.join(root, ".git")):
        paths = git.stdout.decode().split("\0")
    else:  # an unpacked archive
        paths = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, names in os.walk(root) for name in names if "/build" not in folder]
    return sorted(p for p in paths
                  if p and (not endings or p.endswith(endings)) and os.path.isfile(os.path.join(root, p)))


def lines(root, path):
    """The lines of a file, without their ends; whatever isn't text is replaced."""
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def finish(findings):
    """Tells all findings; the exit status says whether there were any."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
