/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_graph.h"

/**
 * @file onnx_affine.h
 * Nodes that compute y[c] = scale[c] x[c] + shift[c] with constants, c along dimension 1, and the
 * convolutions and Gemms whose weights can do that too.
 */
typedef struct onnx_affine {
  int64_t n;      // channels
  double *scale;  // shape [n]
  double *shift;  // shape [n], in the same allocation
} onnx_affine;

/** Which input of @p node is the x of an affine map whose other inputs are constant; -1: none. */
int ee_onnx_affine_input(const onnx_graph *g, const ee_node *node);

/** Whether the constants of @p node are one per channel of @p n, or one for all. */
bool ee_onnx_affine_fits(const onnx_graph *g, const ee_node *node, int x, int64_t n);

/** Scale and shift of @p node, whose x is input @p x. */
ee_status ee_onnx_affine_of(const onnx_graph *g, const ee_node *node, int x, int64_t n,
                            onnx_affine *affine);
void      ee_onnx_affine_free(onnx_affine *affine);

/** Channels of the result of @p node if its weights can take an affine map; 0 if not. */
int64_t ee_onnx_foldable_channels(const onnx_graph *g, const ee_node *node);

/** Give @p node a bias of shape [@p n] that only it uses, with Gemm's beta in it. */
ee_status ee_onnx_own_bias(onnx_graph *g, ee_node *node, int64_t n);

/** Multiply and shift weights and bias of @p node, which must own both. */
void ee_onnx_apply_affine(onnx_graph *g, const ee_node *node, const onnx_affine *affine);

/** A copy of a constant's data, freed with free(); NULL if there is no memory. */
float *ee_onnx_copy_floats(const onnx_value *value);
