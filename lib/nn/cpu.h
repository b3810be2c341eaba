/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file cpu.h
 * Which vector instructions this processor and its operating system offer.
 */
typedef enum ee_cpu_level {
  EE_CPU_BASE,    // what the compiler may assume without asking
  EE_CPU_AVX2,    // AVX2 and FMA
  EE_CPU_AVX512,  // AVX-512 F, DQ, BW and VL
} ee_cpu_level;

/** Best level that can be used; EE_CPU_BASE on anything but x86. */
ee_cpu_level ee_cpu_vectors(void);
