/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * property_check.h - the checks of the property table: each takes what an administrator wrote and gives its normalised
 * form.
 *
 * All return 0 with a new string in *ret (caller frees), or a negative errno with a sentence that says what is allowed.
 */
#ifndef CROFT_PARTITION_PROPERTY_CHECK_H
#define CROFT_PARTITION_PROPERTY_CHECK_H

#include <croft/error.h>

int property_check_size(const char *value, char **ret, struct croft_error *err);   /* "64M" becomes "67108864" */
int property_check_memory(const char *value, char **ret, struct croft_error *err); /* as a size, at least one page */
int property_check_weight(const char *value, char **ret, struct croft_error *err);
int property_check_cpu_max(const char *value, char **ret, struct croft_error *err); /* "50%" becomes "50000 100000" */
int property_check_cpu_set(const char *value, char **ret, struct croft_error *err); /* sorted, merged */
int property_check_pool(
        const char *value, char **ret, struct croft_error *err); /* whether it is there isn't looked at */
int property_check_pids(const char *value, char **ret, struct croft_error *err);
/* Entries separated by ';': "MAJOR:MINOR rbps=N wbps=N riops=N wiops=N"; /dev/NAME is kept as a name. */
int property_check_io_max(const char *value, char **ret, struct croft_error *err);
int property_check_hostname(const char *value, char **ret, struct croft_error *err);
int property_check_init(const char *value, char **ret, struct croft_error *err);
int property_check_net(const char *value, char **ret, struct croft_error *err);
int property_check_env(const char *value, char **ret, struct croft_error *err);
int property_check_nofile(const char *value, char **ret, struct croft_error *err);
int property_check_yes_no(const char *value, char **ret, struct croft_error *err);
int property_check_mount_stats(const char *value, char **ret, struct croft_error *err); /* yes, no or latency */
int property_check_order(const char *value, char **ret, struct croft_error *err);
int property_check_seconds(const char *value, char **ret, struct croft_error *err);
int property_check_text(const char *value, char **ret, struct croft_error *err);

#endif
