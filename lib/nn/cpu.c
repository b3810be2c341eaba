/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the processor, by CPUID, which vector instructions it has. */
#include "cpu.h"

#if defined(__x86_64__) || defined(__i386__)
ee_cpu_level ee_cpu_vectors(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return EE_CPU_AVX512;
  }
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? EE_CPU_AVX2
                                                                         : EE_CPU_BASE;
}
#else
ee_cpu_level ee_cpu_vectors(void) {
  return EE_CPU_BASE;
}
#endif
