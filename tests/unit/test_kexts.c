/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kexts.c - the stanza file of kernel extensions: what it may say, and which partition is granted what by it.
 */
#include "base/cleanup.h"
#include "fault.h"
#include "kext/kexts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "* for whoever names it\n"
                           "net:\n\textension = \"dummy\"\n\tparameters = \"numdummies,x=1\"\n"
                           "disks:\n\textension = brd\n\tpartitions = \"web, db\"\n\tlocal = yes\n\tmajor = \"yes\"\n"
                           "all:\n\textension = nf-tables\n\tpartitions = ALL\n\tprevious = yes\n"
                           "any:\n\textension = ALL\n\tpartitions = trusted\n";

static struct kexts parsed(const char *what)
{
        struct kexts kexts = {.list = NULL};

        assert_int_equal(kexts_parse(what, strlen(what), &kexts, NULL), 0);
        return kexts;
}

static void a_stanza_is_a_grant(void **state)
{
        struct kexts kexts = parsed(text);
        const struct kexts_stanza *net = kexts_find(&kexts, "net"), *disks = kexts_find(&kexts, "disks"),
                                  *all = kexts_find(&kexts, "all");

        (void)state;
        assert_int_equal(kexts.n, 4);
        assert_string_equal(net->grant.name, "dummy");
        assert_string_equal(net->grant.parameters, "numdummies,x=1");
        assert_string_equal(net->grant.stanza, "net");
        assert_false(net->grant.local || net->grant.major || net->grant.previous);
        assert_true(disks->grant.local && disks->grant.major && !disks->grant.previous);
        assert_string_equal(disks->grant.parameters, "");
        assert_string_equal(all->grant.name, "nf_tables");
        assert_true(all->grant.previous);
        assert_null(kexts_find(&kexts, "nothing"));
        kexts_done(&kexts);
        kexts = parsed("");
        assert_int_equal(kexts.n, 0);
}

/* "nf_tables brd ": what that partition is granted, with that value of the property. */
static void assert_granted(const struct kexts *kexts, const char *partition, const char *value, const char *expected)
{
        _cleanup_free_ struct kext_grant *list = NULL;
        char names[256] = "";
        size_t n = 0;

        assert_int_equal(kexts_grants(kexts, partition, value, &list, &n), 0);
        for (size_t i = 0; i < n; i++)
                (void)snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", list[i].name);
        assert_string_equal(names, expected);
}

static void it_is_granted_to_those_that_it_names_and_those_that_name_it(void **state)
{
        struct kexts kexts = parsed(text);

        (void)state;
        assert_granted(&kexts, "x", NULL, "nf_tables ");
        assert_granted(&kexts, "web", NULL, "brd nf_tables ");
        assert_granted(&kexts, "db", "disks", "brd nf_tables ");
        assert_granted(&kexts, "we", NULL, "nf_tables ");
        assert_granted(&kexts, "web,", NULL, "nf_tables ");
        assert_granted(&kexts, "x", "net", "dummy nf_tables ");
        assert_granted(&kexts, "x", "any,net", "dummy nf_tables ALL ");
        assert_granted(&kexts, "x", "ne,et,nothing", "nf_tables ");
        assert_granted(&kexts, "trusted", NULL, "nf_tables ALL ");
        kexts_done(&kexts);
}

static void grants_are_added_behind_those_that_are_there(void **state)
{
        struct kexts kexts = parsed(text);
        struct kext_grant *list = calloc(1, sizeof(*list));
        size_t n = 1;

        (void)state;
        assert_non_null(list);
        (void)strcpy(list->name, "first");
        assert_int_equal(kexts_grants(&kexts, "web", NULL, &list, &n), 0);
        assert_int_equal(n, 3);
        assert_string_equal(list[0].name, "first");
        assert_string_equal(list[2].name, "nf_tables");
        free(list);
        kexts_done(&kexts);
}

static void refuses(const char *what, const char *sentence)
{
        struct kexts kexts = {.n = 42};
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(kexts_parse(what, strlen(what), &kexts, &err), -EBADMSG);
        assert_int_equal(kexts.n, 42);
        (void)croft_error_line(&err, line, sizeof(line));
        if (!strstr(line, sentence))
                fail_msg("'%s' lacks '%s'", line, sentence);
}

static void a_fault_is_told_with_its_line(void **state)
{
        char names[700] = "x:\npartitions=a";

        (void)state;
        refuses("x:\nlocal=yes\n", "line 1: the stanza 'x' has no extension");
        refuses("x:\nextension=a\nextension=b\n", "line 3: the stanza has a second extension");
        refuses("x:\nextension=a b\n", "line 2: 'a b' is no name of an extension");
        refuses("x:\nextension=\n", "line 2: '' is no name of an extension");
        refuses("x:\nextension=/lib/modules/dummy.ko\n", "is no name of an extension");
        refuses("x:\nmajor=maybe\n", "line 2: 'maybe' is no \"yes\" or \"no\"");
        refuses("x:\npartitions=\"Web_\"\n", "line 2: 'Web_' is no name of a partition");
        refuses("x:\npartitions=\"\"\n", "line 2: '' is no name of a partition");
        refuses("x:\npartitions=\"a,ALL\"\n", "line 2: 'ALL' is no name of a partition");
        refuses("x:\nparameters=\"a b\"\n", "line 2: 'a b' is no list of parameters");
        refuses("x:\nvalue=/dev/x\n", "line 2: 'value' is no attribute of a stanza (extension, partitions, local, "
                                      "major, previous, parameters)");
        refuses("x\n", "line 1: 'x' is no stanza");
        refuses("_:\n", "line 1: '_' is no name of a stanza");
        for (int i = 0; i < 200; i++)
                (void)strcat(names, ",ab");
        refuses(names, "line 2: there are too many partitions");
}

static void a_stanza_that_a_property_names_must_be_there(void **state)
{
        struct kexts kexts = parsed(text);
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(kexts_check(&kexts, NULL, "/etc/croft", NULL), 0);
        assert_int_equal(kexts_check(&kexts, "net,any", "/etc/croft", NULL), 0);
        assert_int_equal(kexts_check(&kexts, "net,gone", "/etc/croft", &err), -ENOENT);
        assert_string_equal(croft_error_cause(&err, 0), "there is no stanza 'gone' in '/etc/croft/kexts'");
        kexts_done(&kexts);
}

static void write_file(const char *directory, mode_t mode, const char *what)
{
        char path[128];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/kexts", directory);
        f = fopen(path, "w");
        assert_non_null(f);
        assert_true(fputs(what, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static void a_file_that_others_may_write_is_not_believed(void **state)
{
        char directory[] = "/tmp/croft-kexts-XXXXXX", path[128], line[CROFT_ERROR_TEXT_MAX];
        struct croft_error err = CROFT_ERROR_INIT;
        struct kexts kexts = {.list = NULL};

        (void)state;
        assert_non_null(mkdtemp(directory));
        assert_int_equal(kexts_read(directory, &kexts, NULL), 0); /* there is none */
        assert_int_equal(kexts.n, 0);
        write_file(directory, 0644, text);
        assert_int_equal(kexts_read(directory, &kexts, NULL), 0);
        assert_int_equal(kexts.n, 4);
        kexts_done(&kexts);
        write_file(directory, 0664, text);
        assert_int_equal(kexts_read(directory, &kexts, &err), -EPERM);
        write_file(directory, 0644, "x:\n");
        croft_error_clear(&err);
        assert_int_equal(kexts_read(directory, &kexts, &err), -EBADMSG);
        (void)snprintf(path, sizeof(path), "%s/kexts': line 1: the stanza 'x' has no extension", directory);
        assert_non_null(strstr(croft_error_line(&err, line, sizeof(line)), path));
        (void)snprintf(path, sizeof(path), "%s/kexts", directory);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(kexts_read(directory, &kexts, NULL), -EINVAL);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(directory), 0);
}

static int use_some(void *context)
{
        struct kexts kexts = {.list = NULL};
        _cleanup_free_ struct kext_grant *list = NULL;
        size_t n = 0;
        int r = kexts_parse(text, strlen(text), &kexts, NULL);

        (void)context;
        if (r == 0)
                r = kexts_grants(&kexts, "web", "net", &list, &n);
        kexts_done(&kexts);
        return r;
}

static void no_memory_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, use_some, NULL) > 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_stanza_is_a_grant),
                cmocka_unit_test(it_is_granted_to_those_that_it_names_and_those_that_name_it),
                cmocka_unit_test(grants_are_added_behind_those_that_are_there),
                cmocka_unit_test(a_fault_is_told_with_its_line),
                cmocka_unit_test(a_stanza_that_a_property_names_must_be_there),
                cmocka_unit_test(a_file_that_others_may_write_is_not_believed),
                cmocka_unit_test(no_memory_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
