/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <CUnit/CUnit.h>

/**
 * @file ee_test.h
 * A test program is a list of facts: functions named as sentences that are true when they pass.
 * The main in this folder runs them, prints failures, and exits with 0, 1, or 77 when every fact
 * was skipped.  Under MPI every rank runs every fact and the failures of all ranks are summed.
 */
typedef struct ee_fact {
  const char *sentence;
  void (*check)(void);
} ee_fact;

/** The facts of this program, ended by {NULL, NULL}; each test file defines it. */
extern const ee_fact ee_facts[];

/** Name a function as a fact: {EE_FACT(rates_are_summed_over_ranks)}. */
#define EE_FACT(function) \
  { #function, function }

/** Path of @p name below the folder of test data that EE_TEST_DATA names, or NULL after saying on
 *  stdout that the running fact is skipped for want of it.  Static storage. */
const char *ee_test_data(const char *name);

/** Say that the running fact is skipped, and why. */
void ee_test_skip(const char *why);

/** Path of a file named @p name in a fresh temporary folder of this process.  Static storage,
 *  overwritten by the eighth call after.  The folder is removed at the end. */
const char *ee_test_path(const char *name);
