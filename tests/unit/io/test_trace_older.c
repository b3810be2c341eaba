/* SPDX-License-Identifier: Apache-2.0 */
/* Traces from before some of what they hold today. */
#include "h5_util.h"
#include "trace_format.h"
#include "trace_made.h"

enum { ROWS = 50 };

/* Take a member off the answers, as if the writer had not known it. */
static void forget_absent(const char *path) {
  ee_trace_shape old    = {.with_absent = false};
  const char    *name   = ee_trace_table_name(EE_TABLE_SAMPLES);
  hsize_t        rows[] = {ROWS};
  ee_answer      answers[ROWS];
  hid_t          file   = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t          memory = ee_trace_memory_type(EE_TABLE_SAMPLES);
  hid_t          stored = ee_trace_file_type(EE_TABLE_SAMPLES, &old);
  hid_t          set    = H5Dopen2(file, name, H5P_DEFAULT);
  hid_t          space  = H5Screate_simple(1, rows, NULL);
  CU_ASSERT_TRUE(H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, answers) >= 0);
  ee_h5_release(set);
  CU_ASSERT_TRUE(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
  set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  CU_ASSERT_TRUE(H5Tget_member_index(stored, EE_TRACE_ABSENT) < 0);
  CU_ASSERT_TRUE(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, answers) >= 0);
  hid_t ids[] = {set, space, stored, memory, file};
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
    CU_ASSERT_TRUE(ee_h5_release(ids[i]) >= 0);
}

static void answers_that_do_not_tell_of_absent_lanes_lack_none(void) {
  const char   *path = ee_test_path("older.h5");
  ee_trace_sink sink = create(path, 0);
  int64_t       n;
  write_answers(&sink, 0, ROWS);
  CU_ASSERT_EQUAL_FATAL(ee_trace_close(&sink), EE_OK);
  forget_absent(path);

  ee_trace_file   *file    = reopen(path);
  const ee_answer *answers = ee_trace_file_answers(file, &n);
  CU_ASSERT_EQUAL_FATAL(n, ROWS);
  for (int i = 0; i < ROWS; i++) {
    ee_answer wanted = answer(i);
    wanted.absent    = 0;
    CU_ASSERT_TRUE(same_answer(&answers[i], &wanted));
  }
  ee_trace_file_close(&file);
}

const ee_fact ee_facts[] = {
    EE_FACT(answers_that_do_not_tell_of_absent_lanes_lack_none),
    {NULL, NULL},
};
