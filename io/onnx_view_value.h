/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_view.h"

/**
 * @file onnx_view_value.h
 * Arrays that hold the elements of a view, in dense rows.
 */

/** How such an array can be made. */
typedef enum onnx_source {
  ONNX_NO_SOURCE,  // not without moving numbers one by one
  ONNX_WHOLE,      // it is the source, perhaps in another shape
  ONNX_COLUMNS,    // neighbouring columns of the source
  ONNX_LINEAR,     // columns of a linear layer with constant weights
} onnx_source;

/** How @p view can be made. */
onnx_source ee_onnx_view_source(const onnx_fusion *f, const onnx_view *view);

/** The value that holds @p view, for which there is a source; what it needs is inserted in front of
 *  node @p before. */
ee_status ee_onnx_view_value(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v);

/** Whether the view is one of a linear layer that can work on an array which is there, as it is. */
bool ee_onnx_view_is_layer(const onnx_fusion *f, const onnx_view *view);

/** The same as ee_onnx_view_value() by a linear layer. */
ee_status ee_onnx_view_layer(onnx_fusion *f, const onnx_view *view, ee_node *before, int *v);
