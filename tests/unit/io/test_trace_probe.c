/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_probe.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ee_test.h"

static int touched;

static ee_status read_well(const char *path) {
  touched = path[0] == 'p';
  return EE_OK;
}

static ee_status read_badly(const char *path) {
  return EE_FAIL(EE_ERR_UNSUPPORTED, "%s is from the future", path);
}

static ee_status crash(const char *path) {
  (void)path;
  raise(SIGKILL);
  return EE_OK;
}

static ee_status leave(const char *path) {
  (void)path;
  _exit(0);
}

static void a_file_that_reads_well_is_good(void) {
  CU_ASSERT_EQUAL(ee_trace_probe("path", read_well), EE_OK);
}

static void nothing_that_the_child_does_stays(void) {
  touched = 0;
  CU_ASSERT_EQUAL(ee_trace_probe("path", read_well), EE_OK);
  CU_ASSERT_EQUAL(touched, 0);
}

static void what_the_child_says_comes_back(void) {
  CU_ASSERT_EQUAL(ee_trace_probe("path", read_badly), EE_ERR_UNSUPPORTED);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "path is from the future");
}

static void a_file_that_kills_its_reader_is_damaged(void) {
  CU_ASSERT_EQUAL(ee_trace_probe("path", crash), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "path is damaged"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "signal 9"));
}

static void a_reader_that_says_nothing_has_failed(void) {
  CU_ASSERT_EQUAL(ee_trace_probe("path", leave), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "path is damaged"));
}

const ee_fact ee_facts[] = {
    EE_FACT(a_file_that_reads_well_is_good),
    EE_FACT(nothing_that_the_child_does_stays),
    EE_FACT(what_the_child_says_comes_back),
    EE_FACT(a_file_that_kills_its_reader_is_damaged),
    EE_FACT(a_reader_that_says_nothing_has_failed),
    {NULL, NULL},
};
