/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes TensorProto: little-endian raw bytes, or one of the typed fields. */
#include "onnx_tensor.h"

#include <stdlib.h>
#include <string.h>

#include "onnx_graph.h"

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

static const struct {
  const char *name;
  int         bytes;  // of an integer element; 0: not an integer
  bool        has_sign;
} type_table[] = {
    [TYPE(UNDEFINED)] = {"undefined", 0, false}, [TYPE(FLOAT)] = {"float32", 0, false},
    [TYPE(UINT8)] = {"uint8", 1, false},         [TYPE(INT8)] = {"int8", 1, true},
    [TYPE(UINT16)] = {"uint16", 2, false},       [TYPE(INT16)] = {"int16", 2, true},
    [TYPE(INT32)] = {"int32", 4, true},          [TYPE(INT64)] = {"int64", 8, true},
    [TYPE(STRING)] = {"string", 0, false},       [TYPE(BOOL)] = {"bool", 1, false},
    [TYPE(FLOAT16)] = {"float16", 0, false},     [TYPE(DOUBLE)] = {"float64", 0, false},
    [TYPE(UINT32)] = {"uint32", 4, false},       [TYPE(UINT64)] = {"uint64", 8, false},
    [TYPE(COMPLEX64)] = {"complex64", 0, false}, [TYPE(COMPLEX128)] = {"complex128", 0, false},
    [TYPE(BFLOAT16)] = {"bfloat16", 0, false},
};

static bool type_is_listed(int type) {
  return type >= 0 && (size_t)type < sizeof type_table / sizeof type_table[0];
}

const char *ee_onnx_type_name(int type) {
  return type_is_listed(type) ? type_table[type].name : "an 8-bit or smaller float or integer";
}

bool ee_onnx_type_is_integer(int type) {
  return type_is_listed(type) && type_table[type].bytes > 0;
}

/* The file that an external tensor says its data is in. */
static const char *external_location(const Onnx__TensorProto *tensor) {
  for (size_t i = 0; i < tensor->n_external_data; i++) {
    const Onnx__StringStringEntryProto *entry = tensor->external_data[i];
    if (entry->key != NULL && entry->value != NULL && strcmp(entry->key, "location") == 0)
      return entry->value;
  }
  return "";
}

ee_status ee_onnx_tensor_shape(const Onnx__TensorProto *tensor, const char *name, ee_shape *shape) {
  *shape = (ee_shape){.rank = (int)tensor->n_dims};
  if (tensor->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "tensor '%s' is in the other file '%s'; save it inside",
                   name, external_location(tensor));
  if (tensor->n_dims > EE_MAX_RANK)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "tensor '%s' has %zu dimensions, the most are %d", name,
                   tensor->n_dims, EE_MAX_RANK);
  for (int i = 0; i < shape->rank; i++) {
    if (tensor->dims[i] < 0)
      return EE_FAIL(EE_ERR_FORMAT, "tensor '%s': dimension %d is %lld", name, i,
                     (long long)tensor->dims[i]);
    shape->dim[i] = tensor->dims[i];
  }
  return EE_OK;
}

/* Memory for n elements, at least one byte. */
static void *array_of(int64_t n, size_t size) {
  return malloc(n > 0 ? (size_t)n * size : 1);
}

static ee_status wrong_count(const char *name, size_t have, int64_t need) {
  return EE_FAIL(EE_ERR_FORMAT, "tensor '%s' holds %zu elements, its shape needs %lld", name, have,
                 (long long)need);
}

/* Little-endian integer of n bytes. */
static uint64_t load(const uint8_t *p, int n) {
  uint64_t bits = 0;
  for (int i = 0; i < n; i++) bits |= (uint64_t)p[i] << 8 * i;
  return bits;
}

static void floats_from_bytes(const uint8_t *p, int64_t n, float *data) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)load(p + 4 * i, 4);
    memcpy(&data[i], &bits, 4);
  }
}

ee_status ee_onnx_tensor_floats(const Onnx__TensorProto *tensor, const char *name, float **data) {
  ee_shape shape;
  *data = NULL;
  EE_TRY(ee_onnx_tensor_shape(tensor, name, &shape));
  if (tensor->data_type != TYPE(FLOAT))
    return EE_FAIL(EE_ERR_UNSUPPORTED, "tensor '%s' is of %s, only float32 is supported", name,
                   ee_onnx_type_name(tensor->data_type));

  int64_t n    = ee_shape_elements(&shape);
  size_t  have = tensor->has_raw_data ? tensor->raw_data.len / 4 : tensor->n_float_data;
  if (have != (size_t)n || (tensor->has_raw_data && tensor->raw_data.len % 4 != 0))
    return wrong_count(name, have, n);
  *data = array_of(n, sizeof **data);
  if (*data == NULL) return EE_FAIL(EE_ERR_NOMEM, "for tensor '%s'", name);
  if (tensor->has_raw_data)
    floats_from_bytes(tensor->raw_data.data, n, *data);
  else if (n > 0)
    memcpy(*data, tensor->float_data, (size_t)n * sizeof **data);
  return EE_OK;
}

/* Element i of the typed field that belongs to the tensor's type. */
static int64_t typed_integer(const Onnx__TensorProto *tensor, int64_t i) {
  switch (tensor->data_type) {
    case TYPE(INT64):
      return tensor->int64_data[i];
    case TYPE(UINT32):
    case TYPE(UINT64):
      return (int64_t)tensor->uint64_data[i];
    default:
      return tensor->int32_data[i];
  }
}

static size_t typed_count(const Onnx__TensorProto *tensor) {
  switch (tensor->data_type) {
    case TYPE(INT64):
      return tensor->n_int64_data;
    case TYPE(UINT32):
    case TYPE(UINT64):
      return tensor->n_uint64_data;
    default:
      return tensor->n_int32_data;
  }
}

static int64_t raw_integer(const Onnx__TensorProto *tensor, int64_t i) {
  int      bytes = type_table[tensor->data_type].bytes;
  uint64_t bits  = load(tensor->raw_data.data + bytes * i, bytes);
  uint64_t sign  = (uint64_t)1 << (8 * bytes - 1);
  if (type_table[tensor->data_type].has_sign && bytes < 8) bits = (bits ^ sign) - sign;
  return (int64_t)bits;
}

ee_status ee_onnx_tensor_ints(const Onnx__TensorProto *tensor, const char *name, int64_t **data) {
  ee_shape shape;
  *data = NULL;
  EE_TRY(ee_onnx_tensor_shape(tensor, name, &shape));
  if (!ee_onnx_type_is_integer(tensor->data_type))
    return EE_FAIL(EE_ERR_UNSUPPORTED, "tensor '%s' is of %s, integers are needed here", name,
                   ee_onnx_type_name(tensor->data_type));

  int64_t n     = ee_shape_elements(&shape);
  size_t  bytes = (size_t)type_table[tensor->data_type].bytes;
  size_t  have  = tensor->has_raw_data ? tensor->raw_data.len / bytes : typed_count(tensor);
  if (have != (size_t)n || (tensor->has_raw_data && tensor->raw_data.len % bytes != 0))
    return wrong_count(name, have, n);
  *data = array_of(n, sizeof **data);
  if (*data == NULL) return EE_FAIL(EE_ERR_NOMEM, "for tensor '%s'", name);
  for (int64_t i = 0; i < n; i++)
    (*data)[i] = tensor->has_raw_data ? raw_integer(tensor, i) : typed_integer(tensor, i);
  return EE_OK;
}
