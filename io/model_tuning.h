/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "h5_util.h"

/**
 * @file model_tuning.h
 * The measured methods of a model's nodes in its file; see ee/tuning.h.
 */

/** Write them, if there are any. */
ee_status ee_model_write_tuning(const ee_h5 *h5, const ee_model *model);

/**
 * Read them, if there are any, into a model whose nodes are in the file's order.  Of another
 * version only that it was that is kept, since its names may mean something else.
 * @return EE_OK; EE_ERR_FORMAT with path and reason
 */
ee_status ee_model_read_tuning(const ee_h5 *h5, ee_model *model);
