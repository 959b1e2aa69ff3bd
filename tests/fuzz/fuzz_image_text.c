/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_image_text.c - the texts that images and templates are made by: the first byte chooses the decoder ('0' to '9'),
 * the rest is the text.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "fuzz.h"
#include "image/native.h"
#include "image/oci_json.h"
#include "image/os_release.h"
#include "image/run.h"
#include "image/sink.h"
#include "image/sources.h"

#include <string.h>

static void on_index(const char *text)
{
        struct oci_blob blob;

        if (oci_index_decode(text, strlen(text), "amd64", &blob, NULL) == 0)
                fuzz_require(strspn(blob.digest, "0123456789abcdef") == 64);
}

static void on_manifest(const char *text)
{
        struct oci_manifest *m = malloc(sizeof(*m));

        fuzz_require(m);
        if (oci_manifest_decode(text, strlen(text), m, NULL) == 0)
                fuzz_require(m->n_layers > 0 && m->n_layers <= OCI_LAYERS_MAX);
        (void)oci_config_check(text, strlen(text), "amd64", NULL);
        free(m);
}

static void on_name(const char *text)
{
        char name[ENTRY_NAME_MAX], folder[ENTRY_NAME_MAX];

        if (entry_name(text, name))
                return;
        fuzz_require(
                name[0] != '/' && strcmp(name, "..") != 0 && !str_has_prefix(name, "../") && !strstr(name, "/../"));
        fuzz_require(!name[0] || !strchr(entry_base(name, folder), '/'));
}

static void on_os_release(const char *text)
{
        char value[40];

        os_release_value(text, "PRETTY_NAME", value, sizeof(value));
        for (const char *p = value; *p; p++)
                fuzz_require((unsigned char)*p >= 0x20);
}

static void on_sources(const char *text)
{
        for (int deb822 = 0; deb822 < 2; deb822++) {
                char **lines = NULL;

                fuzz_require(sources_translate(text, deb822, "bookworm", "trixie", &lines) == 0);
                for (size_t i = 0; i < strv_length(lines); i++)
                        fuzz_require(str_has_prefix(lines[i], "deb ") && !strchr(lines[i], '\n'));
                strv_free(lines);
        }
}

static void on_accounts(const char *text)
{
        struct native_accounts a = {0}, host = {0};
        _cleanup_free_ char *shadow = NULL;

        fuzz_require(native_accounts_passwd(&host, text, 1, 999) == 0);
        fuzz_require(native_accounts_group(&host, text, 1, 999) == 0);
        fuzz_require(native_accounts_sysusers(&a, text, &host) == 0);
        for (size_t i = 0; i < host.n_users; i++)
                fuzz_require(native_accounts_take(&a, host.users[i].name, &host) == 0);
        shadow = native_accounts_render(&a, NATIVE_SHADOW);
        fuzz_require(shadow);
        for (const char *line = shadow; *line; line = strchr(line, '\n') + 1)
                fuzz_require(str_has_prefix(strchr(line, ':'), ":*::"));
        native_accounts_done(&a);
        native_accounts_done(&host);
}

static int on_conffile(void *context, const char *path, const char *md5)
{
        (void)context;
        fuzz_require(path[0] && strlen(md5) == 32);
        (void)native_is_denied(path);
        return 0;
}

static void on_status(const char *text)
{
        (void)dpkg_each_conffile(text, strlen(text), on_conffile, NULL);
        (void)dpkg_script_makes_account(text, "name");
}

static void on_link(const char *text)
{
        char meaning[64];

        if (native_resolve_link("etc/a/b", text, meaning, sizeof(meaning)))
                fuzz_require(meaning[0] != '/' && !strstr(meaning, "/../") && strcmp(meaning, "..") != 0);
        (void)native_judge_link("etc/a", text);
}

static void on_report(const char *text)
{
        struct worker_run run = {0};
        struct croft_error err = CROFT_ERROR_INIT;
        int r = worker_report_line(&run, text, &err);

        fuzz_require(r >= 0 || err.code > 0);
        for (const char *p = run.os; *p; p++)
                fuzz_require((unsigned char)*p >= 0x20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const decoders[])(const char *text) = {
                on_index, on_manifest, on_name, on_os_release, on_sources, on_accounts, on_status, on_link, on_report};
        _cleanup_free_ char *text = NULL;

        if (size == 0 || data[0] < '0' || data[0] >= '0' + (int)ELEMENTS(decoders))
                return 0;
        text = strndup((const char *)data + 1, size - 1);
        fuzz_require(text);
        decoders[data[0] - '0'](text);
        return 0;
}
