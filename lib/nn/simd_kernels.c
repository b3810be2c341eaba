/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the kernels for this processor. */
#include "simd_kernels.h"

#include <string.h>

extern const ee_simd_kernels ee_simd_kernels_base;
#if defined(__x86_64__)
extern const ee_simd_kernels ee_simd_kernels_avx2, ee_simd_kernels_avx512;
#endif

static const struct {
  ee_cpu_level           needs;
  const ee_simd_kernels *kernels;
} known[] = {
#if defined(__x86_64__)
    {EE_CPU_AVX512, &ee_simd_kernels_avx512},
    {EE_CPU_AVX2, &ee_simd_kernels_avx2},
#endif
    {EE_CPU_BASE, &ee_simd_kernels_base},  // best first
};

static const ee_simd_kernels *in_use;

const ee_simd_kernels *ee_simd_kernels_get(void) {
  if (in_use == NULL) ee_simd_kernels_use(NULL);
  return in_use;
}

ee_cpu_level ee_simd_kernels_level(void) {
  const ee_simd_kernels *kernels = ee_simd_kernels_get();
  size_t                 i       = 0;
  while (known[i].kernels != kernels) i++;
  return known[i].needs;
}

ee_status ee_simd_kernels_use(const char *name) {
  ee_cpu_level level = ee_cpu_vectors();
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (known[i].needs > level) continue;
    if (name != NULL && strcmp(name, known[i].kernels->name) != 0) continue;
    in_use = known[i].kernels;
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_ARG,
                 "\"%s\" names no vector kernels that this processor can run; expected avx512, "
                 "avx2 or base, as far as it has them",
                 name);
}
