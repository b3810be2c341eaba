/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the processor, by CPUID, what it is called and which vector instructions it has. */
#include "ee/cpu.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define NAME_BYTES 96  // utsname has 65 on Linux; CPUID 48, and 45 behind it

const char *ee_cpu_level_name(ee_cpu_level level) {
  static const char *const names[] = {
      [EE_CPU_BASE] = "base", [EE_CPU_AVX2] = "AVX2", [EE_CPU_AVX512] = "AVX-512"};
  return names[level];
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

#define FIRST_NAME_LEAF 0x80000002U
#define LAST_NAME_LEAF 0x80000004U

ee_cpu_level ee_cpu_vectors(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return EE_CPU_AVX512;
  }
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? EE_CPU_AVX2
                                                                         : EE_CPU_BASE;
}

#define VNNI_512 (1U << 11)  // of leaf 7, 0: ecx
#define VNNI_256 (1U << 4)   // of leaf 7, 1: eax

bool ee_cpu_has_vnni(ee_cpu_level level) {
  unsigned a, b, c, d;
  if (level == EE_CPU_AVX512) return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & VNNI_512);
  return level == EE_CPU_AVX2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & VNNI_256);
}

/* Sixteen letters from each of three leaves; empty if the processor has no name. */
static void ask_name(char name[NAME_BYTES]) {
  unsigned r[4];
  for (unsigned leaf = FIRST_NAME_LEAF; leaf <= LAST_NAME_LEAF; leaf++) {
    if (!__get_cpuid(leaf, &r[0], &r[1], &r[2], &r[3])) return;
    memcpy(name + (leaf - FIRST_NAME_LEAF) * sizeof r, r, sizeof r);
  }
}
/* ", family 26, model 2, stepping 1": virtual machines often have the same name on all. */
static void add_signature(char name[NAME_BYTES]) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return;
  unsigned family = (a >> 8) & 15, model = (a >> 4) & 15;
  if (family >= 6) model += ((a >> 16) & 15) << 4;
  if (family == 15) family += (a >> 20) & 255;
  size_t n = strlen(name);
  snprintf(name + n, NAME_BYTES - n, ", family %u, model %u, stepping %u", family, model, a & 15);
}
#else
ee_cpu_level ee_cpu_vectors(void) {
  return EE_CPU_BASE;
}

bool ee_cpu_has_vnni(ee_cpu_level level) {
  (void)level;
  return false;
}

static void ask_name(char name[NAME_BYTES]) {
  name[0] = '\0';
}

static void add_signature(char name[NAME_BYTES]) {
  (void)name;
}
#endif

static void ask_family(char name[NAME_BYTES]) {
  struct utsname system;
  snprintf(name, NAME_BYTES, "%.64s", uname(&system) >= 0 ? system.machine : "unknown");
}

const char *ee_cpu_name(void) {
  static char name[NAME_BYTES];
  if (name[0] == '\0') {
    ask_name(name);
    size_t n = strlen(name);
    while (n > 0 && name[n - 1] == ' ') name[--n] = '\0';
    if (n == 0) ask_family(name);
    add_signature(name);
  }
  return name + strspn(name, " ");
}
