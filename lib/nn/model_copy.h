/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/** @file model_copy.h  What models that compute a part of another one begin as. */

/**
 * Copy everything that running needs, but no constants' data: provenance, names of classes and
 * preprocessing are left out.
 * @param more     room for as many values and nodes behind those of @p from, zeroed
 * @param[out] to  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_model_outline(const ee_model *from, int more, ee_model **to);

/** Copy the constants of layer @p layer of @p of, a model with the values of @p from, as far as
 * they are in memory and not there yet. */
ee_status ee_model_copy_constants(const ee_model *from, const ee_model *of, int layer,
                                  ee_model *to);
