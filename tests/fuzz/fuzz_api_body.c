/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_api_body.c - the bodies of requests.  The first byte of an input says which decoder gets the rest.
 */
#include "daemon/api_body.h"
#include "fuzz.h"

#include <errno.h>
#include <string.h>

static void require_refusal(int r, const struct croft_error *err)
{
        fuzz_require(r == -EINVAL || r == -ENOMEM);
        fuzz_require(err->code == -r && croft_error_cause(err, 0));
}

static void require_sorted(const struct property *list)
{
        for (; list; list = list->next) {
                fuzz_require(property_find(list->key) && list->value);
                fuzz_require(!list->next || strcmp(list->key, list->next->key) < 0);
        }
}

static void create(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_create c = {.name = NULL};
        int r = api_create_decode(data, size, &c, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (c.name != NULL));
        require_sorted(c.properties);
        api_create_done(&c);
}

static void change(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_change c = {.name = NULL};
        int r = api_change_decode(data, size, &c, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require(!c.name || !c.properties);
        require_sorted(c.properties);
        api_change_done(&c);
}

static void action(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_action a = {.signal = -1};
        int r = api_action_decode(data, size, API_ACTION_TIMEOUT | API_ACTION_FORCE | API_ACTION_SIGNAL, &a, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require(r < 0 ? a.signal == -1 : a.signal >= 1 && a.signal <= 64);
}

static void exec(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        struct exec_spec e = {.id = 0};
        int r = api_exec_decode(data, size, &e, err);

        if (r < 0) {
                require_refusal(r, err);
                fuzz_require(!e.argv);
                return;
        }
        fuzz_require(e.argv && e.argv[0] && e.directory);
        exec_spec_put(&w, &e);
        fuzz_require(w.fault == 0 && w.used < WARDEN_PACKET_MAX);
        wire_writer_done(&w);
        exec_spec_done(&e);
}

static void image(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_image i = {.name = NULL};
        int r = api_image_decode(data, size, &i, err);

        if (r < 0)
                require_refusal(r, err);
        else
                fuzz_require(i.name && (i.path != NULL) != (i.suite != NULL));
        api_image_done(&i);
}

static void pool(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_pool p = {.name = NULL};
        int r = api_pool_decode(data, size, true, &p, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (p.name != NULL));
        api_pool_done(&p);
        croft_error_clear(err);
        r = api_pool_decode(data, size, false, &p, err);
        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (p.cpus != NULL) && !p.name);
        api_pool_done(&p);
}

static void device(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_device d = {.device = NULL};
        int r = api_device_decode(data, size, &d, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (d.device != NULL) && d.request.device == d.device && d.request.as == d.as);
        fuzz_require(r < 0 ||
                     (d.request.mode >= -1 && d.request.mode <= 0777 && d.request.uid >= -1 && d.request.uid < 65536 &&
                             d.request.gid >= -1 && d.request.gid < 65536 && !(d.request.access & ~6U)));
        api_device_done(&d);
}

static void extension(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_extension e = {.path = NULL};
        int r = api_extension_decode(data, size, &e, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (!!e.path + !!e.module + !!e.package == 1));
        fuzz_require(!e.path || e.path[0] == '/');
        api_extension_done(&e);
}

static void grant(const uint8_t *data, size_t size, struct croft_error *err)
{
        struct api_grant g = {.extension = NULL};
        int r = api_grant_decode(data, size, &g, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (g.extension != NULL));
        api_grant_done(&g);
}

static void bind(const uint8_t *data, size_t size, struct croft_error *err)
{
        char *name = NULL;
        int r = api_bind_decode(data, size, &name, err);

        if (r < 0)
                require_refusal(r, err);
        fuzz_require((r == 0) == (name != NULL));
        free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const decoders[])(const uint8_t *, size_t, struct croft_error *) = {['a' - 'a'] = action,
                ['b' - 'a'] = bind,
                ['c' - 'a'] = create,
                ['d' - 'a'] = device,
                ['e' - 'a'] = exec,
                ['g' - 'a'] = grant,
                ['i' - 'a'] = image,
                ['k' - 'a'] = extension,
                ['o' - 'a'] = pool,
                ['p' - 'a'] = change};
        struct croft_error err = CROFT_ERROR_INIT;
        size_t which;

        if (size == 0)
                return 0;
        which = (size_t)(data[0] - 'a');
        if (data[0] >= 'a' && which < sizeof(decoders) / sizeof(decoders[0]) && decoders[which])
                decoders[which](data + 1, size - 1, &err);
        return 0;
}
