/* SPDX-License-Identifier: Apache-2.0 */
/* Pad: negative pads crop first, then the rest is padded. */
#include <string.h>

#include "ref.h"
#include "ref_strides.h"

enum { CONSTANT, REFLECT, EDGE, WRAP };

/* What is left of a dimension after cropping, and how much is put in front of it. */
typedef struct margin {
  int64_t begin, length;  // of the input
  int64_t before;         // >= 0
} margin;

static margin margin_of(int64_t in, int before, int after) {
  int64_t begin = before < 0 ? -(int64_t)before : 0;
  int64_t end   = in + (after < 0 ? after : 0);
  return (margin){begin, end > begin ? end - begin : 0, before > 0 ? before : 0};
}

/* Input position that output position `o` shows; -1 if it shows the constant. */
static int64_t source(const margin *m, int mode, int64_t o) {
  int64_t i = o - m->before, length = m->length;
  if (length == 0) return -1;
  if (i < 0 || i >= length) {
    int64_t period = mode == REFLECT ? 2 * (length - 1) : length;
    if (mode == CONSTANT) return -1;
    if (mode == EDGE || period == 0) {
      i = i < 0 ? 0 : length - 1;
    } else {
      i = (i % period + period) % period;
      if (i >= length) i = period - i;  // on the way back of a reflection
    }
  }
  return m->begin + i;
}

static void fill(float *y, float value, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] = value;
}

/* One row of the last dimension; x is the input's row, or NULL if the row is all constant. */
static void pad_row(const margin *m, int mode, float value, const float *x, int64_t n, float *y) {
  if (x == NULL) {
    fill(y, value, n);
    return;
  }
  int64_t inner_end = m->before + m->length;
  for (int64_t o = 0; o < m->before; o++) {
    int64_t i = source(m, mode, o);
    y[o]      = i < 0 ? value : x[i];
  }
  memcpy(y + m->before, x + m->begin, (size_t)m->length * sizeof *y);
  for (int64_t o = inner_end; o < n; o++) {
    int64_t i = source(m, mode, o);
    y[o]      = i < 0 ? value : x[i];
  }
}

/* Offset of the input row that output row `r` shows; -1 if it is all constant. */
static int64_t source_row(const margin *m, int mode, const ee_shape *out, const int64_t *stride,
                          int64_t r) {
  int64_t offset = 0;
  for (int d = out->rank - 2; d >= 0; d--) {
    int64_t i = source(&m[d], mode, r % out->dim[d]);
    if (i < 0) return -1;
    offset += i * stride[d];
    r /= out->dim[d];
  }
  return offset;
}

void ee_ref_pad(const ee_kernel_call *call) {
  const ee_shape *in = &call->in_shape[0], *out = &call->out_shape;
  int             mode = call->node->attr.pad.mode, last = out->rank - 1;
  float           value = call->node->attr.pad.value;
  int64_t         stride[EE_MAX_RANK];
  margin          m[EE_MAX_RANK];
  if (out->rank == 0) {
    call->out[0] = call->in[0][0];
    return;
  }
  ee_strides(in, stride);
  for (int d = 0; d < out->rank; d++) {
    m[d] = margin_of(in->dim[d], call->node->attr.pad.before[d], call->node->attr.pad.after[d]);
  }
  int64_t n = out->dim[last], rows = ee_shape_elements(out) / n;
  for (int64_t r = 0; r < rows; r++) {
    int64_t offset = source_row(m, mode, out, stride, r);
    pad_row(&m[last], mode, value, offset < 0 ? NULL : call->in[0] + offset, n, call->out + r * n);
  }
}
