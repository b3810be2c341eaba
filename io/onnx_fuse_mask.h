/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_fusion.h"

/**
 * @file onnx_fuse_mask.h
 * The scores of an attention in front of its softmax: product, scale and mask.
 */
typedef struct onnx_scores {
  const ee_node *product;  // MatMul of queries and keys
  double         scale;
  int            mask;   // value that is added; -1: none
  int            shown;  // constant truths, scores without one are hidden; -1: none
  ee_shape       shape;  // of the scores where the mask meets them
} onnx_scores;

/** The value that was reshaped to @p v, its last two dimensions left as they are. */
int ee_onnx_before_reshapes(const onnx_fusion *f, int v);

/** The scores that are @p v; false if they are none. */
bool ee_onnx_find_scores_of(const onnx_fusion *f, int v, onnx_scores *s);

/** Whether the mask means the same for scores of @p lead dimensions, stacks and then heads. */
bool ee_onnx_mask_fits(const onnx_fusion *f, const onnx_scores *s, const ee_shape *lead);

/** The value to add to the scores, *mask; -1: none. */
ee_status ee_onnx_make_mask(onnx_fusion *f, const onnx_scores *s, int *mask);
