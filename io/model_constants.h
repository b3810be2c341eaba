/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file model_constants.h
 * Whether the constants of a model are numbers that one can compute with.
 */

/**
 * Check constant @p v of @p model.  No constant may have a NaN; what convolutions, products and
 * normalisations read must be finite as well, others, such as masks, may be infinite.
 * @param path  of the model's file, for the message
 * @param data  of the constant, shape of the value
 * @return EE_OK; EE_ERR_FORMAT with path, element, dataset and node
 */
ee_status ee_model_check_constant(const char *path, const ee_model *model, int v,
                                  const float *data);
