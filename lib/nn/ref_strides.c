/* SPDX-License-Identifier: Apache-2.0 */
/* Strides, broadcasting and merging of dimensions. */
#include "ref_strides.h"

void ee_strides(const ee_shape *shape, int64_t *stride) {
  int64_t step = 1;
  for (int i = shape->rank - 1; i >= 0; i--) {
    stride[i] = step;
    step *= shape->dim[i];
  }
}

void ee_broadcast_strides(const ee_shape *in, const ee_shape *out, int64_t *stride) {
  int64_t own[EE_MAX_RANK];
  int     missing = out->rank - in->rank;
  ee_strides(in, own);
  for (int i = 0; i < out->rank; i++) {
    bool repeated = i < missing || in->dim[i - missing] == 1;
    stride[i]     = repeated ? 0 : own[i - missing];
  }
}

/* Whether dimension `outer` continues `inner` in both arrays. */
static bool continues(const ee_walk *walk, int outer, int inner) {
  return walk->a[outer] == walk->a[inner] * walk->dim[inner] &&
         walk->b[outer] == walk->b[inner] * walk->dim[inner];
}

void ee_walk_merge(ee_walk *walk) {
  ee_walk merged = {.rank = 0};
  for (int i = 0; i < walk->rank; i++) {
    if (walk->dim[i] == 1) continue;
    int last           = merged.rank++;
    merged.dim[last]   = walk->dim[i];
    merged.a[last]     = walk->a[i];
    merged.b[last]     = walk->b[i];
    bool joins_the_one = last > 0 && continues(&merged, last - 1, last);
    if (joins_the_one) {
      merged.dim[last - 1] *= merged.dim[last];
      merged.a[last - 1] = merged.a[last];
      merged.b[last - 1] = merged.b[last];
      merged.rank--;
    }
  }
  if (merged.rank == 0) merged = (ee_walk){.rank = 1, .dim = {1}};
  *walk = merged;
}
