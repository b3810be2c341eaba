/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

#include "ee/model.h"

/**
 * @file model_identity.h
 * Which network a model is: exit tables hold answers of one network and no other.
 */

/**
 * A number that two models share only if they are the same network: of its operators, the shapes of
 * their inputs and results, and all constants.  Names, temperatures, profiles, tuned kernels and
 * scales of 8 bits may change; for values it is the same on every machine of one byte order.
 * @return never 0 but if a constant is not in memory
 */
uint64_t ee_model_identity(const ee_model *model);
