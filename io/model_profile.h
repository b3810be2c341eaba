/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "h5_util.h"

/**
 * @file model_profile.h
 * With what the seconds in a model's file were measured: attributes of the table of layers.
 */

/** Write it, if it is recorded; the table of layers is there. */
ee_status ee_model_write_profile(const ee_h5 *h5, const ee_model *model);

/**
 * Read it; files written before it was recorded have none of it.
 * @return EE_OK; EE_ERR_FORMAT with path and reason if only a part of it is there, or a name is
 * empty
 */
ee_status ee_model_read_profile(const ee_h5 *h5, ee_model *model);
