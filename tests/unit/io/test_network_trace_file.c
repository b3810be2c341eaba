/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded networks from text: every row, every fault with its line, and files of others. */
#include "ee/network_trace_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee_test.h"

static const char *file_with(const char *text) {
  const char *path = ee_test_path("trace.txt");
  FILE       *file = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(text, 1, strlen(text), file), strlen(text));
  CU_ASSERT_EQUAL(fclose(file), 0);
  return path;
}

static void same(int n, const double *got, const double *wanted) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(got);
  for (int i = 0; i < n; i++) CU_ASSERT_DOUBLE_EQUAL(got[i], wanted[i], 1e-9 * fabs(wanted[i]));
}

static void delays_are_read_row_by_row(void) {
  ee_network_trace t;
  const char      *text = "# recorded at noon\n5.5 0.1\n\n6,0.25  # slow\r\n \t8.5\t0\n";
  CU_ASSERT_EQUAL_FATAL(ee_network_delays_load(file_with(text), &t), EE_OK);
  CU_ASSERT_EQUAL_FATAL(t.n, 3);
  CU_ASSERT_PTR_NULL(t.bits);
  same(4, t.at, (double[]){0, 0.5, 3, 5.5});  // the last as long as the one before it
  same(3, t.delay, (double[]){0.1, 0.25, 0});
  ee_network_trace_free(&t);
  CU_ASSERT_EQUAL_FATAL(ee_network_delays_load(file_with("3 0.5"), &t), EE_OK);
  CU_ASSERT_EQUAL_FATAL(t.n, 1);
  same(2, t.at, (double[]){0, 1});
  CU_ASSERT_EQUAL(ee_network_delay(&t, 0, 7.25), 0.5);
  ee_network_trace_free(&t);
}

static void bandwidths_are_read_row_by_row(void) {
  ee_network_trace t;
  CU_ASSERT_EQUAL_FATAL(ee_network_bandwidth_load(file_with("10\t2\n11\t0\n13\t0.5\n"), &t), EE_OK);
  CU_ASSERT_EQUAL_FATAL(t.n, 3);
  CU_ASSERT_PTR_NULL(t.delay);
  same(4, t.at, (double[]){0, 1, 3, 5});
  same(4, t.bits, (double[]){0, 2e6, 2e6, 3e6});
  ee_network_trace_free(&t);
}

/* Packets at 0, 2, 2 and 4 ms: the first in the first millisecond. */
static void packets_cross_in_the_milliseconds_before_their_stamps(void) {
  ee_network_trace t;
  CU_ASSERT_EQUAL_FATAL(ee_network_bandwidth_load(file_with("0\n2\n2\n4\n"), &t), EE_OK);
  CU_ASSERT_EQUAL_FATAL(t.n, 4);
  same(5, t.at, (double[]){0, 1e-3, 2e-3, 3e-3, 4e-3});
  same(5, t.bits, (double[]){0, 12e3, 36e3, 36e3, 48e3});
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&t, 4 * 1500, 0), 4e-3, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&t, 1500, 2e-3), 2e-3, 1e-12);
  ee_network_trace_free(&t);
  CU_ASSERT_EQUAL_FATAL(ee_network_bandwidth_load(file_with("1\n"), &t), EE_OK);  // 12 Mbit/s
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&t, 1.5e6, 0.25), 1.0, 1e-9);
  ee_network_trace_free(&t);
}

static void refuse(bool delays, const char *text, const char *words) {
  ee_network_trace t    = {.n = 1};
  const char      *path = file_with(text);
  ee_status        status =
      delays ? ee_network_delays_load(path, &t) : ee_network_bandwidth_load(path, &t);
  bool good = status == EE_ERR_FORMAT && strstr(ee_status_message(), words) != NULL;
  if (!good) printf("  expected '%s': %s\n", words, ee_status_message());
  CU_ASSERT_TRUE(good);
  CU_ASSERT(t.n == 0 && t.at == NULL && t.delay == NULL && t.bits == NULL);
}

static void what_is_wrong_is_named_by_file_and_line(void) {
  refuse(true, "", "trace.txt has no rows");
  refuse(true, "# nothing\n\n", "trace.txt has no rows");
  refuse(true, "0 1\n1 x\n", "trace.txt:2: 'x' stands where a number is expected");
  refuse(true, "0 1\n\n1 0.5ms\n", "trace.txt:3: '0.5ms' stands");
  refuse(true, "0 nan\n", "trace.txt:1: 'nan' stands");
  refuse(true, "time,delay\n0,1\n", "trace.txt:1: 'time' stands");
  refuse(true, "0 1\n1 -0.5\n", "trace.txt:2: the delay is -0.5, expected 0 to");
  refuse(true, "0 1\n2 1\n2 1\n", "trace.txt:3: the time is 2 s, expected more than in the row");
  refuse(true, "0 1\n2\n", "trace.txt:2: the line has 1 number, expected 2");
  refuse(true, "7\n", "trace.txt:1: the line has 1 number, expected 2");
  refuse(true, "0 1 2\n", "trace.txt:1: there are more than two numbers");
  refuse(true, "1e300 1\n", "trace.txt:1: the time is 1e+300 s");
  refuse(false, "0 1\n1 1e-300\n",
         "trace.txt:2: the bandwidth is 1e-300 Mbit/s, expected 0 or at least 1e-06");
  refuse(false, "0 1\n1 -2\n", "trace.txt:2: the bandwidth is -2, expected 0 to");
  refuse(false, "0 0\n1 0\n", "trace.txt: nothing ever crosses");
  refuse(false, "3\n2\n", "trace.txt:2: the millisecond is 2, expected a whole number from 3 on");
  refuse(false, "1\n2.5\n", "trace.txt:2: the millisecond is 2.5");
  refuse(false, "1\n2 7\n", "trace.txt:2: the line has 2 numbers, expected 1");
  ee_network_trace t;
  CU_ASSERT_EQUAL(ee_network_delays_load("/nonexistent/trace.txt", &t), EE_ERR_FILE);
}

/* Lines of the file, and its last number. */
static int count_lines(const char *path, double *last) {
  FILE *file = fopen(path, "r");
  int   n    = 0;
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  while (fscanf(file, "%lf", last) == 1) n++;
  fclose(file);
  return n;
}

static void a_recorded_phone_link_carries_its_packets(void) {
  const char      *path = ee_test_data("network-traces/mahimahi/ATT-LTE-driving-2016.down");
  ee_network_trace t;
  double           last = 0.0;
  if (path == NULL) return;
  int n = count_lines(path, &last);
  CU_ASSERT_EQUAL_FATAL(ee_network_bandwidth_load(path, &t), EE_OK);
  CU_ASSERT_DOUBLE_EQUAL(t.at[t.n], last / 1e3, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(t.bits[t.n], 12000.0 * n, 1e-6 * n);
  CU_ASSERT_DOUBLE_EQUAL(ee_network_delay(&t, 1500.0 * n, 0.0), last / 1e3, 1e-6);
  ee_network_trace_free(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(delays_are_read_row_by_row),
    EE_FACT(bandwidths_are_read_row_by_row),
    EE_FACT(packets_cross_in_the_milliseconds_before_their_stamps),
    EE_FACT(what_is_wrong_is_named_by_file_and_line),
    EE_FACT(a_recorded_phone_link_carries_its_packets),
    {NULL, NULL},
};
