/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * init_command.c - the `init` property as an argument vector.  See init_command.h.
 */
#include "partition/init_command.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

/* Reads one word from *text into buf (as large as the text); 0, or -EINVAL. */
static int read_word(const char **text, char *buf)
{
        const char *s = *text;
        char quote = '\0';

        for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
                if (quote ? *s == quote : *s == '\'' || *s == '"') {
                        quote = quote ? '\0' : *s;
                        continue;
                }
                if (*s == '\\' && quote != '\'') {
                        s++;
                        if (!*s)
                                return -EINVAL;
                }
                *buf++ = *s;
        }
        *buf = '\0';
        *text = s;
        return quote ? -EINVAL : 0;
}

int init_words(const char *text, char ***ret)
{
        _cleanup_(strv_freep) char **words = NULL;
        _cleanup_free_ char *buf = malloc(strlen(text) + 1);

        if (!buf)
                return -ENOMEM;
        for (;;) {
                int r;

                text += strspn(text, " \t");
                if (!*text)
                        break;
                r = read_word(&text, buf);
                if (r == 0)
                        r = strv_append(&words, buf);
                if (r < 0)
                        return r;
        }
        if (!words)
                return -EINVAL;
        *ret = TAKE(words);
        return 0;
}

static int one_word(const char *word, char ***ret)
{
        char **v = NULL;
        int r = strv_append(&v, word);

        if (r == 0)
                *ret = v;
        return r;
}

int init_command(const char *value, bool has_own_init, char ***ret)
{
        char **words = NULL;
        int r;

        if (strcmp(value, "auto") == 0)
                return one_word(has_own_init ? INIT_ROOTS : INIT_CROFT, ret);
        r = init_words(value, &words);
        if (r < 0)
                return r;
        if (strcmp(words[0], "croft") == 0) {
                char *name = strdup(INIT_CROFT);

                if (!name) {
                        strv_free(words);
                        return -ENOMEM;
                }
                free(words[0]);
                words[0] = name;
        }
        *ret = words;
        return 0;
}
