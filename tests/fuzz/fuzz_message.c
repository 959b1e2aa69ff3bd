/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_message.c - a record's message, whatever is in the record: it is bounded, valid arguments are all there,
 * and what is no format comes out as it is.
 *
 * Input: number of arguments, their size (2 bytes), size of the format, size of the translation; then those three, the
 * arguments last.
 */
#include "base/message.h"

#include "base/cleanup.h"
#include "fuzz.h"

#include <string.h>

#define HEAD 5

/* A text of its own block, so that a read beyond the end is seen. */
static char *take(const uint8_t **data, size_t *size, size_t wanted)
{
        size_t n = wanted < *size ? wanted : *size;
        char *text = calloc(1, n + 1);

        fuzz_require(text);
        memcpy(text, *data, n);
        *data += n;
        *size -= n;
        return text;
}

/* Each argument is a text if all are valid; packed again as words they are valid, too. */
static void try_arguments(const char *format, const struct message_args *args, bool valid)
{
        char *words[MESSAGE_ARGS_MAX + 1] = {NULL};
        struct message_args again;
        size_t bad = 0;
        unsigned int n = 0;
        int r;

        while (n < MESSAGE_ARGS_MAX && (words[n] = message_argument(args, n)))
                n++;
        fuzz_require(n <= args->n && (!valid || n == args->n));
        fuzz_require(!message_argument(args, n));
        r = message_pack_words(format, words, n, &again, &bad);
        fuzz_require(r == 0 || r == -EINVAL || (r == -ERANGE && bad < n));
        if (r == 0)
                fuzz_require(again.n == n && message_args_valid(again.bytes, again.size, again.n));
        for (unsigned int i = 0; i < n; i++)
                free(words[i]);
}

/* format has size bytes and no end; ended is the same with one. */
static void try_message(
        const char *format, size_t size, const char *ended, const char *translated, const struct message_args *args)
{
        _cleanup_free_ char *text = message_render(format, size, NULL, args);
        _cleanup_free_ char *other = message_render(format, size, translated, args);
        const char *why = NULL;

        fuzz_require(text && strlen(text) < MESSAGE_MAX);
        fuzz_require(other && strlen(other) < MESSAGE_MAX);
        if (message_check(ended, &why) == 0)
                return;
        fuzz_require(why && *why);
        fuzz_require(strncmp(text, ended, strlen(ended)) == 0 && strcmp(text, other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *ended = NULL, *translated = NULL, *format = NULL;
        _cleanup_free_ uint8_t *packed = NULL;
        _cleanup_free_ struct message_args *args = calloc(1, sizeof(*args));
        size_t format_size, packed_size;
        const uint8_t *head = data;
        bool valid;

        fuzz_require(args);
        if (size < HEAD)
                return 0;
        data += HEAD;
        size -= HEAD;
        format_size = head[3] < size ? head[3] : size;
        ended = take(&data, &size, format_size);
        translated = take(&data, &size, head[4]);
        format = malloc(format_size);
        packed_size = size < MESSAGE_ARGS_SIZE + 8 ? size : MESSAGE_ARGS_SIZE + 8;
        packed = malloc(packed_size);
        fuzz_require((format || format_size == 0) && (packed || packed_size == 0));
        if (format_size > 0)
                memcpy(format, ended, format_size);
        if (packed_size > 0)
                memcpy(packed, data, packed_size);
        args->n = head[0];
        args->size = (uint16_t)(head[1] | head[2] << 8);
        memcpy(args->bytes, data, size < MESSAGE_ARGS_SIZE ? size : MESSAGE_ARGS_SIZE);
        valid = message_args_valid(packed, packed_size, args->n);
        if (args->size == packed_size)
                fuzz_require(valid == (packed_size <= MESSAGE_ARGS_SIZE &&
                                              message_args_valid(args->bytes, args->size, args->n)));
        try_arguments(ended, args, valid && args->size == packed_size);
        try_message(format, format_size, ended, translated, args);
        return 0;
}
