/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_net_spec.c - the `net` property: what is taken fits the kernel's names and addresses, what isn't says why.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "kernel/net.h"

#include <arpa/inet.h>
#include <string.h>

/* "ADDR" or "ADDR/LEN", or nothing. */
static void check_address(const char *text, size_t room)
{
        _cleanup_free_ char *copy = NULL;
        unsigned char bytes[16];

        fuzz_require(strnlen(text, room) < room);
        if (!text[0])
                return;
        copy = strndup(text, strcspn(text, "/"));
        fuzz_require(copy && (inet_pton(AF_INET, copy, bytes) == 1 || inet_pton(AF_INET6, copy, bytes) == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size);
        struct croft_error err = CROFT_ERROR_INIT;
        struct net_spec spec;

        fuzz_require(text);
        if (net_spec_parse(text, &spec, &err) < 0) {
                fuzz_require(err.code == EINVAL);
                return 0;
        }
        fuzz_require(!err.code && strnlen(spec.name, sizeof(spec.name)) < sizeof(spec.name) && spec.name[0]);
        fuzz_require(strnlen(spec.link, sizeof(spec.link)) < sizeof(spec.link) && !strpbrk(spec.link, "/: \n"));
        fuzz_require((spec.kind == NET_NONE) == !spec.link[0]);
        fuzz_require(!(spec.mac[0] & 1) && (spec.mtu == 0 || (spec.mtu >= 68 && spec.mtu <= 65535)));
        for (size_t i = 0; i < NET_ADDRESSES_MAX; i++)
                check_address(spec.address[i], sizeof(spec.address[i]));
        check_address(spec.gateway[0], sizeof(spec.gateway[0]));
        check_address(spec.gateway[1], sizeof(spec.gateway[1]));
        check_address(spec.bridge_address, sizeof(spec.bridge_address));
        return 0;
}
