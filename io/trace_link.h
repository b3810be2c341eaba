/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file trace_link.h
 * A master trace: a file without records whose groups /parts/0, /parts/1, ... are external links
 * to the traces of other nodes.
 */

#define EE_TRACE_MAX_PARTS (1 << 16)  // more are taken for damage

/**
 * Paths of the parts that @p h5 links to.
 * @param[out] part  shape [n], each malloc()ed, as is the list; NULL and 0 if the file is no
 * master. To be freed by ee_h5_free_texts()
 */
ee_status ee_trace_read_links(const ee_h5 *h5, char ***part, int *n);
