/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the 8-bit kernels for this processor. */
#include "int8_kernels.h"

#include <string.h>

extern const ee_int8_kernels ee_int8_kernels_base;
#if defined(__x86_64__)
extern const ee_int8_kernels ee_int8_kernels_avx2, ee_int8_kernels_avxvnni, ee_int8_kernels_avx512,
    ee_int8_kernels_avx512vnni;
#endif

static const struct {
  ee_cpu_level           needs;
  bool                   vnni;  // and that
  const ee_int8_kernels *kernels;
} known[] = {
#if defined(__x86_64__)
    {EE_CPU_AVX512, true, &ee_int8_kernels_avx512vnni},
    {EE_CPU_AVX512, false, &ee_int8_kernels_avx512},
    {EE_CPU_AVX2, true, &ee_int8_kernels_avxvnni},
    {EE_CPU_AVX2, false, &ee_int8_kernels_avx2},
#endif
    {EE_CPU_BASE, false, &ee_int8_kernels_base},  // best first
};

static const ee_int8_kernels *wanted;

/* Of that name, or the best if it is NULL; NULL if there are none. */
static const ee_int8_kernels *find(ee_cpu_level level, const char *name) {
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (known[i].needs > level || (known[i].vnni && !ee_cpu_has_vnni(known[i].needs))) continue;
    if (name == NULL || strcmp(name, known[i].kernels->name) == 0) return known[i].kernels;
  }
  return NULL;
}

/* Asking the processor takes long, above all in a virtual machine. */
const ee_int8_kernels *ee_int8_kernels_get(void) {
  static const ee_int8_kernels *best;
  static ee_cpu_level           best_of;
  ee_cpu_level                  level = ee_simd_kernels_level();
  if (wanted != NULL) return wanted;
  if (best == NULL || best_of != level) {
    best    = find(level, NULL);
    best_of = level;
  }
  return best;
}

ee_status ee_int8_kernels_use(const char *name) {
  wanted = NULL;
  if (name == NULL) return EE_OK;
  wanted = find(ee_cpu_vectors(), name);
  if (wanted != NULL) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "\"%s\" names no 8-bit kernels that this processor can run", name);
}
