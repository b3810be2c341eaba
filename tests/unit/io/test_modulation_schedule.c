/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of schedules, good and bad, and the ratios that come of them. */
#include <string.h>

#include "ee/modulation.h"
#include "ee_test.h"

static void a_range_holds_for_the_whole_stream(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("-10:20", &s), EE_OK);
  CU_ASSERT_EQUAL(s.n, 1);
  CU_ASSERT_TRUE(s.low[0] == -10.0 && s.high[0] == 20.0);

  double sum = 0.0, least = 100.0, most = -100.0;
  for (uint64_t id = 0; id < 10000; id++) {
    double snr = ee_snr_of_frame(&s, 1, id, 10000);
    sum += snr;
    least = snr < least ? snr : least;
    most  = snr > most ? snr : most;
  }
  CU_ASSERT_TRUE(least >= -10.0 && least < -9.9 && most < 20.0 && most > 19.9);
  CU_ASSERT_DOUBLE_EQUAL(sum / 10000, 5.0, 5.0 * 30.0 / 3.4641 / 100);  // 5 standard errors
}

static void one_number_is_the_ratio_of_every_frame(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("7.5", &s), EE_OK);
  for (uint64_t id = 0; id < 100; id++) CU_ASSERT_TRUE(ee_snr_of_frame(&s, 3, id, 100) == 7.5);
}

static void ranges_are_linear_between_points(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("0=0,0.5=20,0.75=20,1=-10", &s), EE_OK);
  CU_ASSERT_EQUAL(s.n, 4);
  static const double expected[] = {0, 10, 20, 20, -10};
  for (uint64_t id = 0; id < 5; id++) {
    CU_ASSERT_DOUBLE_EQUAL(ee_snr_of_frame(&s, 1, id, 5), expected[id], 1e-12);
  }
}

static void both_ends_of_a_range_move(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("0=-20:-10,1=10:40", &s), EE_OK);
  for (uint64_t id = 0; id < 1001; id++) {
    double share = (double)id / 1000, snr = ee_snr_of_frame(&s, 9, id, 1001);
    CU_ASSERT_TRUE(snr >= -20.0 + 30.0 * share - 1e-9 && snr <= -10.0 + 50.0 * share + 1e-9);
  }
}

static void the_first_and_last_points_hold_outwards(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("0.4=3,0.6=5", &s), EE_OK);
  CU_ASSERT_TRUE(ee_snr_of_frame(&s, 1, 0, 11) == 3.0);
  CU_ASSERT_DOUBLE_EQUAL(ee_snr_of_frame(&s, 1, 5, 11), 4.0, 1e-12);
  CU_ASSERT_TRUE(ee_snr_of_frame(&s, 1, 10, 11) == 5.0);
  CU_ASSERT_TRUE(ee_snr_of_frame(&s, 1, 99, 11) == 5.0);
  CU_ASSERT_TRUE(ee_snr_of_frame(&s, 1, 0, 1) == 3.0);
}

static void ratios_depend_on_seed_and_id_only(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse("-10:20", &s), EE_OK);
  for (uint64_t id = 0; id < 100; id++) {
    double snr = ee_snr_of_frame(&s, 1, id, 100);
    CU_ASSERT_TRUE(snr == ee_snr_of_frame(&s, 1, id, 1000));
    CU_ASSERT_TRUE(snr != ee_snr_of_frame(&s, 2, id, 100));
  }
}

static void sixteen_points_are_read_and_seventeen_refused(void) {
  ee_snr_schedule s;
  char            text[256] = "0.00=1";
  for (int k = 1; k < 17; k++) {
    char point[] = {',', '0', '.', (char)('0' + k / 10), (char)('0' + k % 10), '=', '1', '\0'};
    strcat(text, point);
    CU_ASSERT_EQUAL(ee_snr_schedule_parse(text, &s), k < 16 ? EE_OK : EE_ERR_USAGE);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "more than 16"));
}

static void bad_texts_are_refused_and_leave_the_schedule_alone(void) {
  static const char *const bad[] = {
      "",          "x",          "1:",       ":1",      "2:1",      "1:2:3",    "nan",
      "inf",       "-inf:0",     "1e3",      "-101",    " 1",       "1 ",       "1:2 ",
      "1,2",       "0=",         "=1",       "0=1,",    ",0=1",     "0=1,,1=2", "0=1,0=2",
      "0.5=1,0=2", "-0.1=1",     "1.1=1",    "0=2:1",   "0=1;1=2",  "0=1,1=x",  "nan=1",
      "0=1,1",     "0=-200:200", "0=1 ,1=2", "0=1:2:3", "0=1,1=2=3"};
  ee_snr_schedule s = {.n = 77};
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    CU_ASSERT_EQUAL(ee_snr_schedule_parse(bad[k], &s), EE_ERR_USAGE);
    CU_ASSERT_EQUAL(s.n, 77);
  }
}

static void the_message_names_the_part_that_is_wrong(void) {
  ee_snr_schedule s;
  CU_ASSERT_EQUAL(ee_snr_schedule_parse("0=1:2,0.5=9:3,1=4", &s), EE_ERR_USAGE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "wrong at \"0.5=9:3\""));
  CU_ASSERT_EQUAL(ee_snr_schedule_parse("20:-10", &s), EE_ERR_USAGE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "\"20:-10\""));
}

const ee_fact ee_facts[] = {
    EE_FACT(a_range_holds_for_the_whole_stream),
    EE_FACT(one_number_is_the_ratio_of_every_frame),
    EE_FACT(ranges_are_linear_between_points),
    EE_FACT(both_ends_of_a_range_move),
    EE_FACT(the_first_and_last_points_hold_outwards),
    EE_FACT(ratios_depend_on_seed_and_id_only),
    EE_FACT(sixteen_points_are_read_and_seventeen_refused),
    EE_FACT(bad_texts_are_refused_and_leave_the_schedule_alone),
    EE_FACT(the_message_names_the_part_that_is_wrong),
    {NULL, NULL},
};
