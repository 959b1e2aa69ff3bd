/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net_spec.c - the `net` property, read and checked; names and hardware addresses that follow from instance and
 * partition.  Touches nothing.  See net.h.
 */
#include "kernel/net.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <string.h>

#define IPV6_MTU_MIN 1280

/* A name that the kernel takes for an interface, and that can't be mistaken for an option or a pattern. */
static bool is_interface_name(const char *s)
{
        size_t length = strlen(s);

        if (length == 0 || length > 15 || s[0] == '-' || strcmp(s, ".") == 0 || strcmp(s, "..") == 0 ||
                strcmp(s, "all") == 0 || strcmp(s, "default") == 0 || strcmp(s, "lo") == 0)
                return false;
        for (; *s; s++)
                if (*s <= ' ' || *s >= 0x7f || *s == '/' || *s == ':' || *s == '%')
                        return false;
        return true;
}

/* AF_INET, AF_INET6, or 0: no address. */
static int family_of(const char *text)
{
        unsigned char room[sizeof(struct in6_addr)];

        return inet_pton(AF_INET, text, room) == 1 ? AF_INET : inet_pton(AF_INET6, text, room) == 1 ? AF_INET6 : 0;
}

/* "ADDR/LEN" of a host: its family, 0 if it isn't one. */
static int family_of_network(const char *text)
{
        const char *slash = strchr(text, '/');
        char address[64];
        uint64_t length;
        int family;

        if (!slash || (size_t)(slash - text) >= sizeof(address))
                return 0;
        memcpy(address, text, (size_t)(slash - text));
        address[slash - text] = '\0';
        family = family_of(address);
        if (!family || !str_to_u64(slash + 1, family == AF_INET ? 32 : 128, &length) || length == 0)
                return 0;
        return family;
}

static int set_link(struct net_spec *spec, enum net_kind kind, const char *value, struct croft_error *err)
{
        if (spec->kind != NET_NONE)
                return croft_error_set(err, EINVAL, "one of bridge= and interface=, once.");
        if (!is_interface_name(value))
                return croft_error_set(err, EINVAL, "'%s' can't be the name of an interface.", value);
        spec->kind = kind;
        (void)str_copy(spec->link, sizeof(spec->link), value); /* checked: it fits */
        return 0;
}

static int set_bridge(struct net_spec *spec, const char *value, struct croft_error *err)
{
        return set_link(spec, NET_BRIDGE, value, err);
}

static int set_interface(struct net_spec *spec, const char *value, struct croft_error *err)
{
        return set_link(spec, NET_INTERFACE, value, err);
}

static int set_name(struct net_spec *spec, const char *value, struct croft_error *err)
{
        if (spec->name[0])
                return croft_error_set(err, EINVAL, "name= is there twice.");
        if (!is_interface_name(value))
                return croft_error_set(err, EINVAL, "'%s' can't be the name of an interface.", value);
        (void)str_copy(spec->name, sizeof(spec->name), value);
        return 0;
}

static int set_address(struct net_spec *spec, const char *value, struct croft_error *err)
{
        if (!family_of_network(value) || strlen(value) >= sizeof(spec->address[0]))
                return croft_error_set(err, EINVAL,
                        "'%s' is no address with the length of its prefix, as 192.0.2.5/24 or 2001:db8::5/64.", value);
        for (size_t i = 0; i < NET_ADDRESSES_MAX; i++) {
                if (strcmp(spec->address[i], value) == 0)
                        return croft_error_set(err, EINVAL, "address=%s is there twice.", value);
                if (!spec->address[i][0]) {
                        (void)str_copy(spec->address[i], sizeof(spec->address[i]), value);
                        return 0;
                }
        }
        return croft_error_set(err, EINVAL, "more than %d addresses.", NET_ADDRESSES_MAX);
}

static int set_gateway(struct net_spec *spec, const char *value, struct croft_error *err)
{
        int family = family_of(value);
        size_t i = spec->gateway[0][0] ? 1 : 0;

        if (!family || strlen(value) >= sizeof(spec->gateway[0]))
                return croft_error_set(err, EINVAL, "'%s' is no address of a gateway, as 192.0.2.1.", value);
        if (spec->gateway[i][0] || (i == 1 && family_of(spec->gateway[0]) == family))
                return croft_error_set(err, EINVAL, "more than one gateway of a family ('%s').", value);
        (void)str_copy(spec->gateway[i], sizeof(spec->gateway[i]), value);
        return 0;
}

static int set_mac(struct net_spec *spec, const char *value, struct croft_error *err)
{
        unsigned int sum = 0, bytes[6];
        size_t digits = strspn(value, "0123456789abcdefABCDEF:");

        if (digits != 17 || value[17] ||
                sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
                        &bytes[5]) != 6)
                return croft_error_set(err, EINVAL, "'%s' is no hardware address, as 02:00:5e:10:00:01.", value);
        for (int i = 0; i < 6; i++) {
                sum |= bytes[i];
                spec->mac[i] = (uint8_t)bytes[i];
        }
        if (sum == 0 || bytes[0] & 1)
                return croft_error_set(err, EINVAL, "'%s' is not the address of one interface.", value);
        return 0;
}

static int set_mtu(struct net_spec *spec, const char *value, struct croft_error *err)
{
        uint64_t mtu;

        if (!str_to_u64(value, 65535, &mtu) || mtu < 68)
                return croft_error_set(err, EINVAL, "mtu is 68 to 65535; not '%s'.", value);
        spec->mtu = (uint32_t)mtu;
        return 0;
}

static int set_bridge_address(struct net_spec *spec, const char *value, struct croft_error *err)
{
        if (spec->bridge_address[0] || !family_of_network(value) ||
                !str_copy(spec->bridge_address, sizeof(spec->bridge_address), value))
                return croft_error_set(err, EINVAL, "bridge-address is one address, as 192.0.2.1/24; not '%s'.", value);
        return 0;
}

static const struct {
        const char *key;
        int (*set)(struct net_spec *spec, const char *value, struct croft_error *err);
} words[] = {
        {"bridge", set_bridge},
        {"interface", set_interface},
        {"name", set_name},
        {"address", set_address},
        {"gateway", set_gateway},
        {"mac", set_mac},
        {"mtu", set_mtu},
        {"bridge-address", set_bridge_address},
};

static int parse_word(struct net_spec *spec, char *word, struct croft_error *err)
{
        char *value = strchr(word, '=');

        if (value)
                *value++ = '\0';
        for (size_t i = 0; value && i < ELEMENTS(words); i++)
                if (strcmp(word, words[i].key) == 0)
                        return words[i].set(spec, value, err);
        return croft_error_set(err, EINVAL,
                "'%s' is not known: none, or bridge=NAME or interface=NAME with address=, gateway=, name=, mac=, "
                "mtu=, bridge-address=.",
                word);
}

/* What no single word can tell. */
static int check_whole(const struct net_spec *spec, struct croft_error *err)
{
        uint8_t no_mac[6] = {0};

        if (spec->kind == NET_NONE)
                return croft_error_set(err, EINVAL, "bridge=NAME or interface=NAME is missing.");
        if (spec->kind == NET_INTERFACE &&
                (spec->mtu || spec->bridge_address[0] || memcmp(spec->mac, no_mac, sizeof(no_mac)) != 0))
                return croft_error_set(
                        err, EINVAL, "mac, mtu and bridge-address are for bridge=; a moved interface keeps its own.");
        if (spec->gateway[0][0] && !spec->address[0][0])
                return croft_error_set(err, EINVAL, "a gateway needs an address (a DHCP client sets both itself).");
        for (size_t i = 0; i < NET_ADDRESSES_MAX && spec->mtu && spec->mtu < IPV6_MTU_MIN; i++)
                if (strchr(spec->address[i], ':'))
                        return croft_error_set(err, EINVAL, "IPv6 needs an mtu of at least %d.", IPV6_MTU_MIN);
        return 0;
}

int net_spec_parse(const char *text, struct net_spec *ret, struct croft_error *err)
{
        _cleanup_free_ char *copy = strdup(text);
        struct net_spec spec = {.kind = NET_NONE};
        char *rest = copy;
        int r = 0;

        if (!copy)
                return croft_error_set(err, ENOMEM, "read '%s'", text);
        if (strcmp(text, "none") == 0) {
                (void)str_copy(spec.name, sizeof(spec.name), "eth0");
                *ret = spec;
                return 0;
        }
        while (r == 0 && rest)
                r = parse_word(&spec, strsep(&rest, ","), err);
        if (r == 0)
                r = check_whole(&spec, err);
        if (r < 0)
                return r;
        if (!spec.name[0])
                (void)str_copy(spec.name, sizeof(spec.name), "eth0");
        *ret = spec;
        return 0;
}

void net_host_name(const char *tag, uint64_t id, char ret[16])
{
        char digits[16];
        size_t n = sizeof(digits);

        digits[--n] = '\0';
        do
                digits[--n] = "0123456789abcdefghijklmnopqrstuvwxyz"[id % 36];
        while (id /= 36);
        (void)str_copy(ret, 16, "cr");
        (void)str_copy(ret + 2, 14, digits + n);
        n = strlen(ret);
        (void)str_copy(ret + n, 16 - n, "-");
        n = strlen(ret);
        (void)str_copy(ret + n, 16 - n, tag); /* cut when the id is large */
}

void net_derived_mac(const char *tag, uint64_t id, uint8_t ret[6])
{
        uint64_t hash = hash_bytes(HASH_BEGIN, tag, strlen(tag));

        for (int i = 0; i < 8; i++) {
                uint8_t byte = (uint8_t)(id >> (8 * i));

                hash = hash_bytes(hash, &byte, 1);
        }
        hash ^= hash >> 32;
        for (int i = 0; i < 6; i++)
                ret[i] = (uint8_t)(hash >> (8 * i));
        ret[0] = (uint8_t)((ret[0] & 0xfc) | 2); /* one interface's, locally administered */
}
