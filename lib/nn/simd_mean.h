/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_mean.h
 * GlobalAveragePool, and ReduceMean over all dimensions behind the channels: pixels in, dense out.
 * What the functions mean stands at ee_backend.
 */
bool ee_simd_mean_can(const ee_model *model, const ee_node *node);
void ee_simd_mean_run(const ee_kernel_call *call);
