/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sources.h - this host's apt sources, turned into those of another suite of the same distribution.  Pure.
 */
#ifndef CROFT_IMAGE_SOURCES_H
#define CROFT_IMAGE_SOURCES_H

#include <stdbool.h>

/* Adds to *lines (a vector of strings) "deb [signed-by=KEYS] URI SUITE main" for each enabled entry of the text that is
 * of the host's own release (codename, codename-security, codename-updates), with the suite in its place.  deb822: the
 * format of *.sources files, else that of sources.list.  0 or -ENOMEM. */
int sources_translate(const char *text, bool deb822, const char *codename, const char *suite, char ***lines);

/* What may be handed to a builder: no blanks, no options, nothing that a sources line would understand. */
bool sources_is_suite(const char *suite);
bool sources_is_uri(const char *uri);
bool sources_is_package_list(const char *list);

#endif
