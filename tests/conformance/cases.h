/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <onnx.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "ee/import.h"

/**
 * @file cases.h
 * One ONNX model with inputs and the output it must give, run by one backend.
 */

/** A whole file in memory. */
typedef struct blob {
  unsigned char *bytes;  // NULL if it cannot be read
  size_t         n;
} blob;

blob read_blob(const char *path);

typedef enum { PASSED, FAILED, REFUSED } verdict;

/** What came of running a model. */
typedef struct outcome {
  verdict verdict;
  double  error;      // largest |y - expected| / (FLOOR + |expected|)
  char    text[512];  // why it was refused or failed
} outcome;

/** Relative error allowed, of values below FLOOR that of FLOOR.  ONNX's own runner allows 1e-3,
 *  which some expected outputs need that were written down with four digits. */
#define TOLERANCE 1e-5
#define LOOSE_TOLERANCE 1e-3
#define FLOOR 0.1

/** Operators whose tests must pass; any other is listed. */
bool operator_is_ours(const char *name);

/**
 * Import @p model, run it on @p x with @p backend and compare with the TensorProto @p expected.
 * @param x  elements of the model's input, shape [n_x]
 */
outcome run_model(const blob *model, const ee_onnx_binding *binding, int n_bindings, const float *x,
                  size_t n_x, const blob *expected, double tolerance, const char *backend);

/** Elements of a float32 TensorProto, in a new array; NULL if it is not one. */
float *tensor_floats(const Onnx__TensorProto *tensor, size_t *n);
