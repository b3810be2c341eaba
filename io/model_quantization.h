/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "h5_util.h"

/**
 * @file model_quantization.h
 * The scales of a model's nodes in its file; see ee/quantization.h.
 */

/** Write them, if there are any. */
ee_status ee_model_write_quantization(const ee_h5 *h5, const ee_model *model);

/**
 * Read them, if there are any, into a model whose nodes are in the file's order.  Those of another
 * version of the formula are left out.
 * @return EE_OK; EE_ERR_FORMAT with path and reason
 */
ee_status ee_model_read_quantization(const ee_h5 *h5, ee_model *model);
