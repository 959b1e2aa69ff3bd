#!/usr/bin/env python3
"""image_archives.py DIRECTORY: archives for test_image_import.sh, made afresh.

DIRECTORY/bad/NAME and NAME.says (a regular expression that the refusal must match), and DIRECTORY/good/NAME.
NAME.limits, where it exists, holds "BYTES ENTRIES" to import it with.
"""
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import platform
import struct
import sys
import tarfile

BAD, GOOD = os.path.join(sys.argv[1], "bad"), os.path.join(sys.argv[1], "good")
OUTSIDE = os.path.join(sys.argv[1], "outside")
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OTHER_ARCH = "arm64" if ARCH == "amd64" else "amd64"


def entry(name, kind=tarfile.REGTYPE, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.mtime = kind, len(data), 0o644, 1000000000
    if kind == tarfile.DIRTYPE:
        info.mode = 0o755
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def folder(name, **fields):
    return entry(name, tarfile.DIRTYPE, **fields)


def link(name, target, **fields):
    return entry(name, tarfile.SYMTYPE, linkname=target, **fields)


def hard(name, target):
    return entry(name, tarfile.LNKTYPE, linkname=target)


def node(name, kind=tarfile.CHRTYPE):
    return entry(name, kind, devmajor=1, devminor=3)


def tar(*entries, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def bad(name, content, says, limits=None):
    with open(os.path.join(BAD, name), "wb") as f:
        f.write(content)
    with open(os.path.join(BAD, name + ".says"), "w") as f:
        f.write(says)
    if limits:
        with open(os.path.join(BAD, name + ".limits"), "w") as f:
            f.write("%d %d" % limits)


def good(name, content):
    path = os.path.join(GOOD, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content)


OS = b'PRETTY_NAME="Test OS 7"\n'
ROOT = [folder("./", mode=0o755), folder("./etc"), entry("./etc/os-release", data=OS), folder("./usr"),
        folder("./usr/bin"), entry("./usr/bin/sh", data=b"#!shell", mode=0o4755), link("./bin", "usr/bin")]


def with_prefix(prefix, entries):
    for info, data in entries:
        copy = tarfile.TarInfo.frombuf(info.tobuf(), "utf-8", "strict")
        copy.name = prefix + info.name.removeprefix("./")
        yield copy, data


def gnu_sparse(name, real_size):
    """A file of real_size with four bytes of data at its beginning, in the old GNU form."""
    info, _ = entry(name)
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[156:157] = b"S"
    block[124:136] = b"%011o\0" % 512
    block[386:398] = b"%011o\0" % 0
    block[398:410] = b"%011o\0" % 512
    block[410:422] = b"\x80" + struct.pack(">QI", 0, 0)[:0] + real_size.to_bytes(11, "big")
    block[422:434] = b"%011o\0" % 0
    block[483:495] = b"\x80" + real_size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + b"data" + bytes(508) + bytes(1024)


def names_and_links():
    bad("absolute", tar(*ROOT, entry("/etc/evil")), "entry '/etc/evil' has an absolute name")
    bad("dotdot", tar(*ROOT, entry("etc/../../evil")), r"entry 'etc/../../evil' has '\.\.'")
    bad("dotdot-at-the-end", tar(folder("a/..")), r"has '\.\.'")
    bad("below-a-link-outside", tar(link("way", OUTSIDE), entry("way/evil", data=b"x")), "entry 'way/evil' lies below a link")
    bad("below-a-link-inside", tar(folder("usr"), link("way", "usr"), entry("way/x")), "entry 'way/x' lies below a link")
    bad("folder-below-a-link", tar(link("way", OUTSIDE), folder("way/evil")), "entry 'way/evil' lies below a link")
    bad("below-a-deep-link", tar(folder("a"), link("a/b", OUTSIDE), entry("a/b/c/d/evil")), "lies below a link")
    bad("below-a-file", tar(entry("f", data=b"x"), entry("f/x")), "entry 'f/x' lies below")
    bad("hard-link-absolute", tar(hard("h", "/etc/passwd")), "entry 'h' is a hard link to a name that leads outside")
    bad("hard-link-dotdot", tar(hard("h", "../../../etc/passwd")), "leads outside")
    bad("hard-link-missing", tar(hard("h", "none")), "isn't a file of the archive")
    bad("hard-link-below-a-link", tar(link("way", OUTSIDE), hard("h", "way/sentinel")), "isn't a file of the archive")
    bad("hard-link-to-folder", tar(folder("d"), hard("h", "d")), "isn't a file of the archive")
    bad("hard-link-to-itself", tar(entry("h", data=b"x"), hard("h", "h")), "to itself")
    bad("root-is-a-link", tar(link(".", OUTSIDE)), "is the root, and no folder")
    bad("replaces-a-full-folder", tar(folder("d"), entry("d/x"), entry("d")), "would replace a folder")
    bad("too-deep", tar(entry("d/" * 129 + "x")), "lies too deep")
    bad("too-long", tar(entry("x" * 256)), "has too long a name")
    bad("control-bytes", tar(entry("/a\033[2Jb\nc")), r"entry '/a\\x1b\[2Jb\\x0ac' has an absolute name")


def kinds_and_owners():
    bad("character-device", tar(*ROOT, node("etc/null")), "entry 'etc/null' is a device node")
    bad("block-device", tar(node("dev/disk/sda", tarfile.BLKTYPE)), "entry 'dev/disk/sda' is a device node")
    bad("uid-65536", tar(entry("f", uid=65536)), "entry 'f' belongs to an id above 65535")
    bad("gid-65536", tar(folder("f", gid=65536)), "above 65535")
    bad("uid-2-to-the-32", tar(entry("f", uid=1 << 32)), "above 65535")
    bad("uid-negative", tar(entry("f", uid=-1), form=tarfile.GNU_FORMAT), "above 65535")


def sizes():
    bad("sparse-tebibyte", gnu_sparse("hole", 1 << 40), "entry 'hole' is too big")
    bad("sparse-exbibyte", gnu_sparse("hole", 1 << 62), "entry 'hole' is too big")
    bad("too-many-bytes", tar(entry("a", data=bytes(700000)), entry("b", data=bytes(700000))), "entry 'b' is too big",
        (1 << 20, 100))
    bad("too-many-entries", tar(*[entry("f%d" % i) for i in range(101)]), "entry 'f100' is one too many", (1 << 20, 100))
    bad("bomb", gzip.compress(tar(entry("a")) + bytes(4 << 20)), "unpacks to more", (1 << 20, 10))


def damage():
    whole = tar(*ROOT, entry("big", data=os.urandom(100000)))
    packed = gzip.compress(whole)
    bad("cut-in-data", whole[:60000], "archive|truncated|Truncated")
    bad("cut-in-header", whole[:700], "archive|truncated|Truncated")
    bad("cut-between-entries", tar(entry("a", data=b"x" * 512), entry("b"))[:1024], "cut off")
    bad("cut-gzip", packed[:-6], "truncated|archive")
    bad("wrong-gzip-sum", packed[:-8] + b"\0\0\0\0" + packed[-4:], "checksum is wrong")
    bad("cut-xz", lzma.compress(whole)[:-20], "truncated|archive")
    bad("flipped-bzip2", bytes(b ^ (i == 60000) for i, b in enumerate(bz2.compress(whole))), "archive")
    bad("something-follows", tar(entry("a")) + b"more", "cut off, or something follows")
    bad("empty", b"", "empty")
    bad("empty-gzip", gzip.compress(b""), "empty|no tar|archive")
    bad("only-zeros", bytes(10240), "holds nothing|archive")
    bad("noise", os.urandom(50000), "is it a tar|archive")
    bad("text", b"hello, world\n" * 1000, "is it a tar|archive")
    bad("wrong-header-sum", b"x" + whole[1:], "is it a tar|archive")
    bad("squashfs", b"hsqs" + bytes(1000), "unsquashfs")
    bad("metadata-without-root", tar(entry("metadata.yaml", data=b"a: b\n")), "META,ROOTFS")
    bad("metadata-and-a-linked-root", tar(entry("metadata.yaml"), link("rootfs", OUTSIDE)), "META,ROOTFS")


class Layout:
    """An OCI image layout, as files of a dictionary."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, content, kind):
        digest = hashlib.sha256(content).hexdigest()
        self.files["blobs/sha256/" + digest] = content
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(content)}

    def manifest(self, layers, arch=ARCH, config_arch=None):
        config = self.blob(json.dumps({"architecture": config_arch or arch, "os": "linux"}).encode(), "config.v1+json")
        content = {"schemaVersion": 2, "config": config, "layers": [self.blob(l, "layer.v1.tar+gzip") for l in layers]}
        result = self.blob(json.dumps(content).encode(), "manifest.v1+json")
        result["platform"] = {"architecture": arch, "os": "linux"}
        return result

    def index(self, manifests):
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
        return self

    def nested(self, manifests):
        inner = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()
        return self.index([self.blob(inner, "index.v1+json")])

    def tar(self):
        folders = [folder("blobs"), folder("blobs/sha256")]
        return tar(*folders, *[entry(name, data=data) for name, data in self.files.items()])


def layers():
    first = tar(*ROOT, folder("opaque"), entry("opaque/old"), entry("gone"), folder("full"), entry("full/x"),
                folder("kept"), entry("kept/a"), entry("kept/b"))
    # The opaque mark stands after a file of its own layer, which must stay.
    second = tar(entry(".wh.gone"), folder("opaque"), entry("opaque/new"), entry("opaque/.wh..wh..opq"),
                 entry("full", data=b"now a file"), entry("kept/.wh.b"), entry(".wh.never-there"))
    return [gzip.compress(first), second]


def oci():
    layout = Layout()
    right, wrong = layout.manifest(layers()), layout.manifest([tar(entry("wrong"))], OTHER_ARCH)
    layout.nested([wrong, right])
    good("oci.tar", layout.tar())
    for name, data in layout.files.items():
        good("oci/" + name, data)

    layout = Layout()
    layout.index([layout.manifest(layers(), OTHER_ARCH)])
    bad("oci-other-machine", layout.tar(), "no image for linux/" + ARCH)
    layout = Layout()
    layout.index([layout.manifest(layers(), ARCH, OTHER_ARCH)])
    bad("oci-config-of-other-machine", layout.tar(), "is for '%s'" % OTHER_ARCH)
    layout = Layout()
    layout.index([layout.manifest(layers())])
    layer = max(layout.files, key=lambda name: len(layout.files[name]))
    content = layout.files[layer]
    layout.files[layer] = content[:-1] + bytes([content[-1] ^ 1])
    bad("oci-wrong-digest", layout.tar(), "doesn't have the digest")
    layout.files[layer] = content + b"\0"
    bad("oci-wrong-size", layout.tar(), "another size")
    del layout.files[layer]
    bad("oci-missing-blob", layout.tar(), "lacks 'blobs/sha256/")
    for name, hostile, says in [
            ("traversal", tar(entry("../evil")), r"layer 2: entry '../evil' has '\.\.'"),
            ("link", tar(link("way", OUTSIDE), entry("way/evil")), "layer 2: entry 'way/evil' lies below a link"),
            ("whiteout-of-dotdot", tar(entry(".wh...")), "whiteout of nothing"),
            ("whiteout-of-dot", tar(entry("a/.wh..")), "whiteout of nothing"),
            ("device", tar(node("x")), "layer 2: entry 'x' is a device node")]:
        layout = Layout()
        layout.index([layout.manifest([layers()[0], hostile])])
        bad("oci-" + name, layout.tar(), says)
    layout = Layout()
    layout.index([layout.manifest([tar(folder("d"), link("d/way", OUTSIDE)), tar(entry("d/way/.wh.sentinel"))])])
    bad("oci-whiteout-below-a-link", layout.tar(), "lies below a link")
    layout = Layout()
    layout.files["index.json"] = b"[" * 100000
    bad("oci-index-nested-brackets", layout.tar(), "no JSON object")
    layout.files["index.json"] = json.dumps({"manifests": [{"digest": "sha256:../../../../etc/passwd", "size": 1}]}).encode()
    bad("oci-digest-is-a-path", layout.tar(), "without SHA-256 or size")
    looping = Layout().index([])
    inner = looping.blob(b"{}", "index.v1+json")
    for _ in range(8):
        inner = looping.blob(json.dumps({"manifests": [inner]}).encode(), "index.v1+json")
    bad("oci-nested-too-deep", looping.index([inner]).tar(), "nested too deep")


def accepted():
    body = [*ROOT, folder("./dev"), node("./dev/null"), node("./dev/sda", tarfile.BLKTYPE),
            folder("./tmp", mode=0o1777), entry("./etc/shadow", mode=0o640, gid=42), entry("./last", uid=65535, gid=65535),
            hard("./usr/bin/ash", "./usr/bin/sh"), link("./etc/absolute", "/etc/passwd"), link("./etc/up", "../../../x"),
            entry("./etc/twice", data=b"first"), entry("./etc/twice", data=b"second"), entry("./pipe", tarfile.FIFOTYPE),
            entry("./latin-\udce9", data=b"x"), entry("./grüße", data=b"x"), entry("no/folder/before", data=b"x")]
    body.append(entry("./xattr", data=b"x", pax_headers={"SCHILY.xattr.user.note": "kept",
                                                         "SCHILY.xattr.user.overlay.redirect": "/etc",
                                                         "SCHILY.xattr.trusted.overlay.opaque": "y"}))
    plain = tar(*body, form=tarfile.PAX_FORMAT)
    good("plain.tar", plain)
    good("plain.tar.gz", gzip.compress(plain))
    good("plain.tar.xz", lzma.compress(plain))
    good("plain.tar.bz2", bz2.compress(plain))
    good("sparse.tar", tar(*ROOT)[:-10240] + gnu_sparse("hole", 1 << 30))
    unified = [entry("metadata.yaml", data=b"architecture: x\n"), folder("templates"), folder("rootfs/"),
               *with_prefix("rootfs/", body[1:7]), folder("rootfs/dev"), node("rootfs/dev/null")]
    good("unified.tar.xz", lzma.compress(tar(*unified)))
    good("meta.tar.xz", lzma.compress(tar(unified[0])))
    good("big.tar", tar(*ROOT, *[entry("f%d" % i, data=bytes(1 << 20)) for i in range(200)]))


for path in (BAD, GOOD, OUTSIDE):
    os.makedirs(path)
names_and_links()
kinds_and_owners()
sizes()
damage()
oci()
accepted()
