/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/** @file credit.h  What a receiver sends back when it has posted slots again. */
typedef struct ee_credit {
  int64_t given;  // when it was put on its way [ns since the start]
  int64_t count;  // slots
} ee_credit;

/** It travels as so many MPI_INT64_T. */
#define EE_CREDIT_NUMBERS 2
