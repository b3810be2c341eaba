/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "h5_util.h"

/**
 * @file h5_list.h
 * Which datasets a file has, for formats that leave their names open.
 */

/**
 * Names of the datasets of the root and of its groups, without those of groups further down, by
 * name.  Only what stands in the file itself: soft and external links are passed over.
 * @param limit      most names
 * @param[out] name  shape [*n], absolute; each and the list malloc()ed, to be freed by
 *                   ee_h5_free_texts(); NULL on error
 * @return EE_OK; EE_ERR_FORMAT if there are more or a name is longer than 100 bytes; EE_ERR_NOMEM
 */
ee_status ee_h5_list_datasets(const ee_h5 *h5, int limit, char ***name, int *n);
