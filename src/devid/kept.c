/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kept.c - see kept.h.
 */
#include "devid/kept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef char hex_name[2 * DEVID_NAME + 1];

static const char *format_hex(const struct devid_name *name, hex_name hex)
{
        hex[0] = '\0';
        for (size_t i = 0; i < DEVID_NAME && name->text[i]; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)name->text[i]);
        return hex;
}

size_t kept_format(const struct devid_number *number, const struct devid_name *special, char *buf, size_t size)
{
        hex_name instance, name;
        int n = snprintf(buf, size, "%.*s %u %u %u %u %u %s%s%s\n", DEVID_NAME - 1, number->family.text, number->first,
                number->count, number->within, number->virtual, number->state, format_hex(&number->instance, instance),
                special->text[0] ? " " : "", format_hex(special, name));

        return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* Two digits of each byte. */
static bool parse_hex(const char *hex, struct devid_name *ret)
{
        size_t length = strlen(hex);

        if (length == 0 || length % 2 || length / 2 >= DEVID_NAME || hex[strspn(hex, "0123456789abcdef")])
                return false;
        for (size_t i = 0; i < length / 2; i++) {
                unsigned int byte = 0;

                if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || byte == 0)
                        return false;
                ret->text[i] = (char)byte;
        }
        return true;
}

static bool is_sound(const struct devid_number *n)
{
        return n->first < DEVID_FAMILY_MAX && n->count >= 1 && n->count <= DEVID_GROUP_MAX && n->within >= 1 &&
               n->within <= DEVID_FAMILY_MAX && (n->state == DEVID_RESERVED || n->state == DEVID_ASSIGNED);
}

int kept_parse(const char **line, struct devid_number *ret, struct devid_name *ret_special)
{
        size_t length = strcspn(*line, "\n");
        char copy[KEPT_LINE_MAX];
        hex_name instance, name;
        int end = 0, more = 0;

        if (!**line)
                return 0;
        if (length >= sizeof(copy) || (*line)[length] != '\n')
                return -EBADMSG;
        memcpy(copy, *line, length);
        copy[length] = '\0';
        *ret = (struct devid_number){.partition = 0};
        *ret_special = (struct devid_name){.text = ""};
        if (sscanf(copy, "%31s %u %u %u %u %u %64s%n", ret->family.text, &ret->first, &ret->count, &ret->within,
                    &ret->virtual, &ret->state, instance, &end) != 7 ||
                !parse_hex(instance, &ret->instance) || !is_sound(ret))
                return -EBADMSG;
        if (copy[end] &&
                (sscanf(copy + end, " %64s%n", name, &more) != 1 || copy[end + more] || !parse_hex(name, ret_special)))
                return -EBADMSG;
        *line += length + 1;
        return 1;
}

void kept_rename(struct devid_name *family, __u32 type, __u32 from, __u32 to)
{
        char name[DEVID_NAME] = "";

        (void)snprintf(name, sizeof(name), "%c%u", (int)type, from);
        if (strncmp(family->text, name, sizeof(name)) != 0)
                return;
        memset(family, 0, sizeof(*family));
        (void)snprintf(family->text, sizeof(family->text), "%c%u", (int)type, to);
}
