/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "simd_kernels.h"

/**
 * @file simd_elementwise.h
 * Add, Sub, Mul, Div of two arrays, and activations, in either form.  What the functions mean
 * stands at ee_backend.
 */

/** What rows of @p op do: Add, Sub, Mul or Div; copies for any other. */
ee_simd_row_op ee_simd_row_op_of(ee_op op);

/** Two arrays of one shape. */
bool ee_simd_binary_can(const ee_model *model, const ee_node *node);

/** On pixels of rank 4: one of the arrays, the second one where the order matters, has a single
 * pixel, which meets every pixel of the other. */
bool ee_simd_spread_can(const ee_model *model, const ee_node *node);

void ee_simd_binary_run(const ee_kernel_call *call);

/** The result may stand where the first input stood; where any input of the result's shape did. */
bool ee_simd_over_first(const ee_model *model, const ee_node *node, int i);
bool ee_simd_over_same(const ee_model *model, const ee_node *node, int i);

bool ee_simd_activation_can(const ee_model *model, const ee_node *node);
void ee_simd_activation_run(const ee_kernel_call *call);
