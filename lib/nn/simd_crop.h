/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_crop.h
 * Slices that take some of the rows of a picture, one after the other.
 */
bool ee_simd_crop_can(const ee_model *model, const ee_node *node);
void ee_simd_crop_run(const ee_kernel_call *call);
