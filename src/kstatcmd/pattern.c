/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pattern.c - patterns of kstat(8): globs and /regular expressions/.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"

#include <fnmatch.h>
#include <string.h>

static bool is_regex(const char *text)
{
        size_t length = strlen(text);

        return length >= 2 && text[0] == '/' && text[length - 1] == '/';
}

int pattern_init(struct pattern *pattern, const char *text, struct croft_error *err)
{
        _cleanup_free_ char *expression = NULL;
        char reason[200];
        int r;

        pattern->glob = text;
        if (!is_regex(text))
                return 0;
        expression = strndup(text + 1, strlen(text) - 2);
        if (!expression)
                return croft_error_set(err, ENOMEM, "take pattern");
        r = regcomp(&pattern->regex, expression, REG_EXTENDED | REG_NOSUB);
        if (r != 0) {
                (void)regerror(r, &pattern->regex, reason, sizeof(reason));
                return croft_error_set(err, r == REG_ESPACE ? ENOMEM : EINVAL, "pattern %.100s: %s.", text, reason);
        }
        pattern->glob = NULL;
        return 0;
}

void pattern_done(struct pattern *pattern)
{
        if (!pattern->glob)
                regfree(&pattern->regex);
        pattern->glob = "";
}

bool pattern_fits(const struct pattern *pattern, const char *text)
{
        if (pattern->glob)
                return fnmatch(pattern->glob, text, 0) == 0;
        return regexec(&pattern->regex, text, 0, NULL, 0) == 0;
}

bool pattern_is_literal(const struct pattern *pattern)
{
        return pattern->glob && !strpbrk(pattern->glob, "*?[\\");
}
