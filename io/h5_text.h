/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_text.h
 * Texts and lists of texts as datasets of fixed-length UTF-8 strings.
 */

/** Write one text of any length. */
ee_status ee_h5_write_text(const ee_h5 *h5, const char *name, const char *text);

/** Read one text.  *text is malloc()ed, the caller's; EE_ERR_FORMAT if there is none. */
ee_status ee_h5_read_text(const ee_h5 *h5, const char *name, char **text);

/** Write a list of @p n >= 1 texts. */
ee_status ee_h5_write_texts(const ee_h5 *h5, const char *name, int n, const char *const *text);

/** Read a list of up to @p limit texts: *text and each of its *n elements are malloc()ed. */
ee_status ee_h5_read_texts(const ee_h5 *h5, const char *name, int limit, char ***text, int *n);

/** Free such a list; NULL is accepted. */
void ee_h5_free_texts(char **text, int n);
