/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_fusion.h"

/**
 * @file onnx_view.h
 * What the elements of an array are of another one, through any number of reshapes, transpositions
 * and slices between them, whatever their order.
 *
 * Every dimension is a row of factors, outermost first.  Index i of a dimension is a number in the
 * mixed base of their sizes, and a step in a factor is `stride` elements of the source.  So
 * [T, 3 H D] seen as [3, H, T, D] is (3, H D) (H, D) (T, 3 H D) (D, 1).
 */
#define ONNX_MAX_FACTORS 24

typedef struct onnx_factor {
  int64_t size, stride;
} onnx_factor;

typedef struct onnx_view {
  int         source;  // value
  int64_t     first;   // element of it that is element 0
  double      scale;   // every element is the source's times this
  int         rank, n;
  int         start[EE_MAX_RANK + 1];  // dimension i is factors start[i] .. start[i + 1] - 1
  onnx_factor factor[ONNX_MAX_FACTORS];
} onnx_view;

/** Value @p v as a view of the nearest value before it that more than moves and scales numbers. */
onnx_view ee_onnx_view_of(const onnx_fusion *f, int v);

/** Append a dimension without factors. */
bool ee_onnx_view_add_dimension(onnx_view *view);

/** Append (size, stride) to the last dimension; one that goes on where the last one ends makes it
 *  longer.  false: there is no room. */
bool ee_onnx_view_add(onnx_view *view, onnx_factor factor);

/**
 * Append to the last dimension of @p to the factors that are factor @p pick of dimensions
 * [@p from, @p end) of @p view, whose elements are counted as in memory of an array of these
 * dimensions alone.  false: they do not fit.
 */
bool ee_onnx_view_pick(const onnx_view *view, int from, int end, onnx_factor pick, onnx_view *to);

/** Length of dimension @p i. */
int64_t ee_onnx_view_length(const onnx_view *view, int i);

/** Whether dimensions [@p from, @p end) are neighbours @p stride apart, in order. */
bool ee_onnx_view_is_run(const onnx_view *view, int from, int end, int64_t stride);

/** Shape of the view. */
ee_shape ee_onnx_view_shape(const onnx_view *view);
