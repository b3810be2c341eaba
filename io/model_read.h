/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "h5_util.h"

/**
 * @file model_read.h
 * The graph of an open model file.
 */

/**
 * Read everything but the constants, check it and finish the model.
 * @param[out] model  the caller's; NULL on error
 * @return EE_OK; EE_ERR_FORMAT with path and reason; EE_ERR_NOMEM
 */
ee_status ee_model_read_graph(const ee_h5 *h5, ee_model **model);

/** Read constant @p v of @p model to @p data, shape of the value, and check it. */
ee_status ee_model_read_constant(const ee_h5 *h5, const ee_model *model, int v, float *data);
