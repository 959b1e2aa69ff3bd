/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode_elf.c - what a module says of itself, by libelf.  See decode.h.
 *
 * The kernel takes the name from the structure in .gnu.linkonce.this_module; what .modinfo says must be the same.
 * Whether it takes majors of devices, its imports say: without them it can't.
 */
#include "kext/decode.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kext/bytes.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define BUILD_ID_MAX 64 /* bytes */

/* What the sections are about, as they are found. */
struct reading {
        struct kext_identity identity;
        char modinfo_name[KEXT_NAME_MAX + 1];
        int class;
};

static void elf_endp(Elf **elf)
{
        (void)elf_end(*elf);
}

static int refuse(struct croft_error *err, const char *why)
{
        return croft_error_set(err, ENOEXEC, "it is no module of a kernel: %s.", why);
}

/* Copies printable text that isn't ended by NUL. */
static bool take_text(char *dst, size_t room, const char *text, size_t size)
{
        if (size >= room)
                return false;
        for (size_t i = 0; i < size; i++)
                if (text[i] < ' ' || text[i] > '~')
                        return false;
        memcpy(dst, text, size);
        dst[size] = '\0';
        return true;
}

/* "vermagic=6.1.0-18-amd64 SMP ..." */
static int take_field(struct reading *r, const char *field, size_t size, struct croft_error *err)
{
        struct {
                const char *key;
                char *dst;
                size_t room;
        } fields[] = {
                {"name=", r->modinfo_name, sizeof(r->modinfo_name)},
                {"vermagic=", r->identity.vermagic, sizeof(r->identity.vermagic)},
                {"srcversion=", r->identity.srcversion, sizeof(r->identity.srcversion)},
                {"depends=", r->identity.depends, sizeof(r->identity.depends)},
        };

        for (size_t i = 0; i < ELEMENTS(fields); i++) {
                size_t n = strlen(fields[i].key);

                if (size < n || memcmp(field, fields[i].key, n) != 0 || fields[i].dst[0])
                        continue; /* the first one counts, as in the kernel */
                if (!take_text(fields[i].dst, fields[i].room, field + n, size - n))
                        return refuse(err, "what it says of itself is too long, or no text");
        }
        return 0;
}

static int take_modinfo(struct reading *r, const Elf_Data *data, struct croft_error *err)
{
        const char *at = data->d_buf, *end = at + data->d_size;

        while (at < end) {
                size_t n = strnlen(at, (size_t)(end - at));
                int result = take_field(r, at, n, err);

                if (result < 0)
                        return result;
                at += n;
                at += at < end;
        }
        return 0;
}

/* struct module begins with its state and a list's two pointers; then comes the name. */
static int take_structure(struct reading *r, const Elf_Data *data, struct croft_error *err)
{
        size_t at = r->class == ELFCLASS64 ? 24 : 12, room = r->class == ELFCLASS64 ? 56 : 60;
        char name[KEXT_NAME_MAX + 2], normal[KEXT_NAME_MAX + 1];
        const char *text = data->d_buf;
        size_t n;

        if (data->d_size < at + room)
                return refuse(err, "its structure is too short");
        n = strnlen(text + at, room);
        if (n == room || !take_text(name, sizeof(name), text + at, n) || !kext_name_normalise(name, normal) ||
                strcmp(name, normal) != 0)
                return refuse(err, "its name is none");
        if (strcmp(name, KEXT_ALL) == 0)
                return croft_error_set(
                        err, ENOEXEC, "a grant of '%s' is one of all: no extension is called so.", KEXT_ALL);
        (void)str_copy(r->identity.name, sizeof(r->identity.name), name);
        return 0;
}

static int take_build_id(struct reading *r, Elf_Scn *section)
{
        Elf_Data *data = elf_getdata(section, NULL);
        size_t at = 0, name, text;
        GElf_Nhdr note;

        while (data && data->d_buf && (at = gelf_getnote(data, at, &note, &name, &text)) > 0)
                if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= BUILD_ID_MAX &&
                        memcmp((const char *)data->d_buf + name, "GNU", 4) == 0 && !r->identity.build_id[0])
                        bytes_hex((const unsigned char *)data->d_buf + text, note.n_descsz, r->identity.build_id);
        return 0;
}

/* The functions that take majors, and those of the kernel's image that do so for who calls them; one that a module has
 * is counted where that is decoded, which this one depends on. */
static bool is_of_majors(const char *symbol)
{
        static const char *const names[] = {"__register_chrdev", "register_chrdev_region", "alloc_chrdev_region",
                "__register_blkdev", "register_blkdev", "tty_register_driver"};

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (strcmp(symbol, names[i]) == 0)
                        return true;
        return false;
}

static int take_imports(struct reading *r, Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct croft_error *err)
{
        Elf_Data *data = elf_getdata(section, NULL);
        const char *name;
        GElf_Sym symbol;

        if (!data || !data->d_buf)
                return refuse(err, "it is cut off");
        for (int i = 1; gelf_getsym(data, i, &symbol); i++) {
                if (symbol.st_shndx != SHN_UNDEF)
                        continue;
                name = elf_strptr(elf, header->sh_link, symbol.st_name);
                if (!name)
                        return refuse(err, "its symbols are damaged");
                r->identity.takes_major |= is_of_majors(name);
        }
        return 0;
}

static int take_section(struct reading *r, Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *name,
        struct croft_error *err)
{
        Elf_Data *data;

        if (header->sh_type == SHT_SYMTAB)
                return take_imports(r, elf, section, header, err);
        if (strcmp(name, ".note.gnu.build-id") == 0)
                return header->sh_type == SHT_NOTE ? take_build_id(r, section) : 0;
        if (header->sh_type != SHT_PROGBITS)
                return 0;
        if (strcmp(name, ".modinfo") != 0 && strcmp(name, ".gnu.linkonce.this_module") != 0)
                return 0;
        data = elf_rawdata(section, NULL);
        if (!data || !data->d_buf)
                return refuse(err, "it is cut off");
        return name[1] == 'm' ? take_modinfo(r, data, err) : take_structure(r, data, err);
}

static int read_sections(struct reading *r, Elf *elf, struct croft_error *err)
{
        Elf_Scn *section = NULL;
        size_t names;
        int result = 0;

        if (elf_getshdrstrndx(elf, &names) < 0)
                return refuse(err, "it has no sections");
        while (result == 0 && (section = elf_nextscn(elf, section))) {
                const char *name;
                GElf_Shdr header;

                if (!gelf_getshdr(section, &header))
                        return refuse(err, "its sections are damaged");
                name = elf_strptr(elf, names, header.sh_name);
                if (!name)
                        return refuse(err, "its sections are damaged");
                result = take_section(r, elf, section, &header, name, err);
        }
        return result;
}

static int read_elf(struct reading *r, Elf *elf, struct croft_error *err)
{
        GElf_Ehdr header;
        int result;

        if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
                return refuse(err, "no ELF file");
        if (header.e_type != ET_REL)
                return refuse(err, "no relocatable object");
        r->class = gelf_getclass(elf);
        result = read_sections(r, elf, err);
        if (result < 0)
                return result;
        if (!r->identity.name[0])
                return refuse(err, "it has no structure of a module");
        if (!r->identity.vermagic[0] || r->identity.vermagic[0] == ' ') /* without a release, as objects of BPF are */
                return refuse(err, "it doesn't say for which kernel it is");
        if (r->modinfo_name[0] && strcmp(r->modinfo_name, r->identity.name) != 0)
                return refuse(err, "it has two names");
        return 0;
}

int decode_elf(const void *data, size_t size, struct kext_identity *ret, struct croft_error *err)
{
        struct reading *reading = calloc(1, sizeof(*reading));
        _cleanup_free_ void *own = reading, *copy = malloc(size ? size : 1);
        _cleanup_(elf_endp) Elf *elf = NULL;
        int r;

        if (!reading || !copy)
                return croft_error_set(err, ENOMEM, "read it");
        /* libelf may write into what it reads, and wants it aligned. */
        memcpy(copy, data, size);
        (void)elf_version(EV_CURRENT);
        elf = elf_memory(copy, size);
        if (!elf)
                return refuse(err, "no ELF file");
        r = read_elf(reading, elf, err);
        if (r < 0)
                return r;
        reading->identity.kind = KEXT_KO;
        *ret = reading->identity;
        return 0;
}
