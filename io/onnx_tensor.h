/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <onnx.pb-c.h>

#include "ee/status.h"
#include "ee/tensor.h"

/**
 * @file onnx_tensor.h
 * Arrays as ONNX stores them: shape, type, and data in one of several fields.
 */

/** Name of an element type, such as "float16". */
const char *ee_onnx_type_name(int type);

/** Whether arrays of @p type can be decoded to int64. */
bool ee_onnx_type_is_integer(int type);

/** Shape of @p tensor, which errors call @p name.  EE_ERR_FORMAT if a dimension is impossible;
 * EE_ERR_UNSUPPORTED if there are more than EE_MAX_RANK, or if the data stands in another file. */
ee_status ee_onnx_tensor_shape(const Onnx__TensorProto *tensor, const char *name, ee_shape *shape);

/** Elements of a float32 @p tensor; *data is the caller's, freed with free(). */
ee_status ee_onnx_tensor_floats(const Onnx__TensorProto *tensor, const char *name, float **data);

/** Elements of an integer or bool @p tensor; *data is the caller's, freed with free(). */
ee_status ee_onnx_tensor_ints(const Onnx__TensorProto *tensor, const char *name, int64_t **data);
