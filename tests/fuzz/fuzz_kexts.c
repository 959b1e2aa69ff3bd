/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_kexts.c - the stanza file of kernel extensions: whatever is taken grants something by a valid name, what isn't
 * says in which line.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "kext/kexts.h"
#include "partition/stanzas.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct kexts kexts = {.list = NULL};
        _cleanup_free_ struct kext_grant *list = NULL;
        size_t n = 0;

        if (kexts_parse((const char *)data, size, &kexts, &err) < 0) {
                fuzz_require(err.code == EBADMSG && !kexts.list && kexts.n == 0);
                return 0;
        }
        fuzz_require(!err.code && kexts.n <= STANZAS_MAX);
        for (size_t i = 0; i < kexts.n; i++) {
                const struct kexts_stanza *stanza = &kexts.list[i];
                char normal[KEXT_PARAMETERS_MAX + 1], name[KEXT_NAME_MAX + 1];

                fuzz_require(stanzas_name_is_valid(stanza->name) && kexts_find(&kexts, stanza->name) == stanza);
                fuzz_require(strcmp(stanza->grant.name, KEXT_ALL) == 0 ||
                             (kext_name_normalise(stanza->grant.name, name) && strcmp(name, stanza->grant.name) == 0));
                fuzz_require(kext_parameters_check(stanza->grant.parameters, normal, NULL) == 0);
                fuzz_require(strcmp(stanza->grant.stanza, stanza->name) == 0);
        }
        fuzz_require(kexts_grants(&kexts, "web", "firewall", &list, &n) == 0 && n <= kexts.n);
        kexts_done(&kexts);
        return 0;
}
