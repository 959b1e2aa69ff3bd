/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_cdi.c - a CDI name, a line end, and a device file in either form: what is taken is bounded, what isn't says why.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "partition/cdi.h"

#include <string.h>

static void check_node(const struct cdi_node *node)
{
        fuzz_require(strnlen(node->path, sizeof(node->path)) < sizeof(node->path));
        fuzz_require(strnlen(node->host, sizeof(node->host)) < sizeof(node->host) && node->host[0]);
        fuzz_require(strncmp(node->path, "/dev/", 5) == 0);
        fuzz_require(node->type == 0 || node->type == 'b' || node->type == 'c');
        fuzz_require(node->major >= -1 && node->minor >= -1 && node->mode >= -1 && node->mode <= 0777);
        fuzz_require(node->access && !(node->access & ~3U) && node->uid < 65536 && node->gid < 65536);
}

static void decode(const char *text, size_t size, enum cdi_format format, const struct cdi_name *name)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct cdi_device device = {.nodes = NULL};
        int r = cdi_decode(text, size, format, name, &device, &err);

        if (r < 0) {
                fuzz_require(r == -ENOENT || r == -EBADMSG || r == -EOPNOTSUPP);
                fuzz_require((r == -ENOENT || err.code == -r) && !device.nodes);
                return;
        }
        fuzz_require(device.n > 0 && device.n <= CDI_NODES_MAX);
        for (size_t i = 0; i < device.n; i++)
                check_node(&device.nodes[i]);
        cdi_device_done(&device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *text = (const char *)data, *newline = memchr(data, '\n', size);
        size_t length = newline ? (size_t)(newline - text) : size;
        _cleanup_free_ char *word = strndup(text, length);
        struct cdi_name name;

        fuzz_require(word);
        if (!cdi_name_parse(word, &name) || !newline)
                return 0;
        fuzz_require(strlen(name.kind) + 1 + strlen(name.device) == strlen(word));
        decode(newline + 1, size - length - 1, CDI_JSON, &name);
        decode(newline + 1, size - length - 1, CDI_YAML, &name);
        return 0;
}
