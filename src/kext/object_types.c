/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * object_types.c - are the types that a BPF object describes (its section .BTF) such that they can be followed?  See
 * object.h.
 *
 * libbpf checks that itself from 1.3 on; the one of Debian 12 believes each number of a type.
 */
#include "kext/object.h"

#include "base/cleanup.h"

#include <bpf/btf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define DEPTH_MAX 32 /* as libbpf resolves them */

static void elf_endp(Elf **elf)
{
        (void)elf_end(*elf);
}

static void btf_freep(struct btf **btf)
{
        btf__free(*btf);
}

static bool is_type(const struct btf *btf, uint32_t id)
{
        return id < btf__type_cnt(btf);
}

static bool has_parts(const struct btf *btf, const struct btf_type *type)
{
        const struct btf_member *members = btf_members(type);
        const struct btf_param *params = btf_params(type);
        const struct btf_var_secinfo *variables = btf_var_secinfos(type);
        bool good = true;

        for (unsigned int i = 0; good && i < btf_vlen(type); i++)
                if (btf_is_composite(type))
                        good = is_type(btf, members[i].type);
                else if (btf_is_func_proto(type))
                        good = is_type(btf, params[i].type);
                else
                        good = is_type(btf, variables[i].type);
        return good;
}

/* Names and qualifiers of other types end somewhere. */
static bool ends(const struct btf *btf, const struct btf_type *type)
{
        for (int depth = 0; depth < DEPTH_MAX; depth++) {
                if (!btf_is_mod(type) && !btf_is_typedef(type))
                        return true;
                if (!is_type(btf, type->type))
                        return false;
                type = btf__type_by_id(btf, type->type);
        }
        return false;
}

static bool can_be_followed(const struct btf *btf, const struct btf_type *type)
{
        switch (btf_kind(type)) {
        case BTF_KIND_INT:
        case BTF_KIND_FLOAT:
        case BTF_KIND_FWD:
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
                return true;
        case BTF_KIND_ARRAY:
                return is_type(btf, btf_array(type)->type) && is_type(btf, btf_array(type)->index_type);
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
        case BTF_KIND_DATASEC:
                return has_parts(btf, type);
        case BTF_KIND_FUNC_PROTO:
                return is_type(btf, type->type) && has_parts(btf, type);
        case BTF_KIND_FUNC:
                return is_type(btf, type->type) && btf_is_func_proto(btf__type_by_id(btf, type->type));
        default: /* pointers, qualifiers, names, variables, tags */
                return is_type(btf, type->type) && ends(btf, type);
        }
}

static bool check(Elf_Scn *section)
{
        Elf_Data *data = elf_rawdata(section, NULL);
        _cleanup_(btf_freep) struct btf *btf =
                data && data->d_buf ? btf__new(data->d_buf, (uint32_t)data->d_size) : NULL;

        if (!btf)
                return false;
        for (uint32_t id = 1; id < btf__type_cnt(btf); id++)
                if (!can_be_followed(btf, btf__type_by_id(btf, id)))
                        return false;
        return true;
}

static bool check_sections(Elf *elf)
{
        Elf_Scn *section = NULL;
        size_t names;
        bool good = elf_getshdrstrndx(elf, &names) == 0;

        while (good && (section = elf_nextscn(elf, section))) {
                GElf_Shdr header;
                const char *name = gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;

                good = name != NULL && (strcmp(name, ".BTF") != 0 || check(section));
        }
        return good;
}

int object_check_types(const void *data, size_t size, struct croft_error *err)
{
        _cleanup_free_ void *copy = malloc(size);
        _cleanup_(elf_endp) Elf *elf = NULL;

        if (!copy)
                return croft_error_set(err, ENOMEM, "read it");
        memcpy(copy, data, size); /* libelf may write into it */
        (void)elf_version(EV_CURRENT);
        elf = elf_memory(copy, size);
        if (!elf || elf_kind(elf) != ELF_K_ELF || !check_sections(elf))
                return croft_error_set(
                        err, ENOEXEC, "it is no BPF object that can be read: its sections or types are damaged.");
        return 0;
}
