/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file simd_concat.h
 * Concat along the channels, in either form.  What the functions mean stands at ee_backend.
 */
bool ee_simd_concat_can(const ee_model *model, const ee_node *node);
void ee_simd_concat_run(const ee_kernel_call *call);
