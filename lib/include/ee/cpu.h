/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

/**
 * @file cpu.h
 * Which processor this is, and which vector instructions it and its operating system offer.
 */
typedef enum ee_cpu_level {
  EE_CPU_BASE,    // what the compiler may assume without asking
  EE_CPU_AVX2,    // AVX2 and FMA
  EE_CPU_AVX512,  // AVX-512 F, DQ, BW and VL
} ee_cpu_level;

/** Best level that can be used; EE_CPU_BASE on anything but x86. */
ee_cpu_level ee_cpu_vectors(void);

/** Whether vectors of @p level, which the processor has, multiply and add four numbers of 8 bits at
 *  once (VNNI).  Asking takes long, above all in a virtual machine. */
bool ee_cpu_has_vnni(ee_cpu_level level);

/** "base", "AVX2" or "AVX-512".  Static storage. */
const char *ee_cpu_level_name(ee_cpu_level level);

/** The processor's own name, or that of its family if it has none, and on x86 family, model and
 *  stepping by CPUID, since many have the same name.  Static storage, never NULL. */
const char *ee_cpu_name(void);
