/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/data_file.h"
#include "ee/model.h"
#include "ee/rng.h"

/**
 * @file random_input.h
 * Random samples for a model, where only what they cost or who computes them matters: bytes if the
 * model preprocesses its input; else numbers uniform in [-1, 1), or among the places of the table
 * that the input chooses from.
 */

/** Type of raw samples for @p model. */
ee_data_type ee_random_type(const ee_model *model);

/**
 * Draw raw samples.
 * @param[out] raw  shape [@p n, elements of a sample], of uint8_t or float as ee_random_type() says
 */
void ee_random_raw(const ee_model *model, int n, ee_rng *rng, void *raw);

/**
 * Preprocessed samples of a fixed seed.
 * @param[out] input  shape [@p n, elements of a sample], the caller frees it; NULL on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_random_input(const ee_model *model, int n, float **input);
