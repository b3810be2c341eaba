/* SPDX-License-Identifier: Apache-2.0 */
/* Data files of radio frames, read back and compared with frames made one by one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ee/data_file.h"
#include "ee/modulation.h"
#include "ee_test.h"

#define FRAMES 2500  // more than two blocks of writing, and not whole ones
#define VALUES (2 * EE_FRAME_SAMPLES)

static ee_snr_schedule schedule(const char *text) {
  ee_snr_schedule s = {0};
  CU_ASSERT_EQUAL_FATAL(ee_snr_schedule_parse(text, &s), EE_OK);
  return s;
}

static void the_file_says_what_it_holds(void) {
  const char     *path = ee_test_path("says.h5");
  ee_snr_schedule s    = schedule("0=-5:5,1=10:20");
  ee_data_file   *file = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_generate_modulation(path, 7, 42, &s), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(path, &file), EE_OK);
  const ee_data_info *info = ee_data_file_info(file);
  CU_ASSERT_EQUAL(info->type, EE_DATA_F32);
  CU_ASSERT_EQUAL(info->n, 7);
  CU_ASSERT_TRUE(info->dim[0] == 2 && info->dim[1] == 1 && info->dim[2] == EE_FRAME_SAMPLES);
  CU_ASSERT_TRUE(info->labelled);
  CU_ASSERT_EQUAL_FATAL(info->n_classes, EE_MODULATIONS);
  for (int m = 0; m < EE_MODULATIONS; m++) {
    CU_ASSERT_STRING_EQUAL(info->class_name[m], ee_modulation_name[m]);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(info->provenance, "seed 42, frames 7"));
  CU_ASSERT_PTR_NOT_NULL(strstr(info->provenance, "0=-5:5,1=10:20"));
  ee_data_close(&file);
}

/* Samples that differ from the frame made at the label and the ratio that the file states. */
static int wrong_frames(const float *samples, const int32_t *labels, const float *snr) {
  int wrong = 0;
  for (int id = 0; id < FRAMES; id++) {
    float iq[VALUES];
    ee_modulation_frame(5, (uint64_t)id, labels[id], snr[id], iq);
    wrong += memcmp(iq, samples + (size_t)id * VALUES, sizeof iq) != 0;
    wrong += labels[id] != ee_modulation_of_frame(5, (uint64_t)id);
  }
  return wrong;
}

static void every_frame_can_be_made_again_from_the_file(void) {
  const char     *path    = ee_test_path("again.h5");
  ee_snr_schedule s       = schedule("-10:20");
  ee_data_file   *file    = NULL;
  float          *samples = malloc(sizeof(float) * FRAMES * VALUES);
  static int32_t  labels[FRAMES];
  static float    snr[FRAMES];
  CU_ASSERT_PTR_NOT_NULL_FATAL(samples);
  CU_ASSERT_EQUAL_FATAL(ee_generate_modulation(path, FRAMES, 5, &s), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_data_open(path, &file), EE_OK);
  CU_ASSERT_EQUAL(ee_data_read(file, 0, FRAMES, samples), EE_OK);
  CU_ASSERT_EQUAL(ee_data_read_labels(file, 0, FRAMES, labels), EE_OK);
  CU_ASSERT_EQUAL(ee_data_read_attribute(file, "snr", 0, FRAMES, snr), EE_OK);
  CU_ASSERT_EQUAL(wrong_frames(samples, labels, snr), 0);
  for (int id = 0; id < FRAMES; id++) {
    CU_ASSERT_EQUAL(snr[id], (float)ee_snr_of_frame(&s, 5, (uint64_t)id, FRAMES));
  }
  ee_data_close(&file);
  free(samples);
}

static void a_number_of_frames_out_of_range_is_refused(void) {
  const char     *path = ee_test_path("none.h5");
  ee_snr_schedule s    = schedule("10");
  CU_ASSERT_EQUAL(ee_generate_modulation(path, 0, 1, &s), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "0 frames"));
  CU_ASSERT_EQUAL(ee_generate_modulation(path, UINT64_MAX, 1, &s), EE_ERR_ARG);
  CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void a_schedule_without_points_is_refused(void) {
  const char     *path = ee_test_path("pointless.h5");
  ee_snr_schedule s    = {0};
  CU_ASSERT_EQUAL(ee_generate_modulation(path, 10, 1, &s), EE_ERR_ARG);
  s.n = EE_SNR_POINTS + 1;
  CU_ASSERT_EQUAL(ee_generate_modulation(path, 10, 1, &s), EE_ERR_ARG);
  CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

static void a_path_that_cannot_be_written_is_named(void) {
  char            path[512];
  ee_snr_schedule s = schedule("10");
  snprintf(path, sizeof path, "%s/frames.h5", ee_test_path("no-such-folder"));
  CU_ASSERT_EQUAL(ee_generate_modulation(path, 10, 1, &s), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no-such-folder"));
}

/* The limit on a file's size stands for a full disk. */
static void a_file_that_cannot_be_finished_is_an_error_and_leaves_nothing(void) {
  const char     *path = ee_test_path("full.h5");
  ee_snr_schedule s    = schedule("10");
  struct rlimit   before, small;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
  small          = before;
  small.rlim_cur = 300000;
  CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
  ee_status status = ee_generate_modulation(path, FRAMES, 1, &s);
  CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  CU_ASSERT_EQUAL(status, EE_ERR_FILE);
  CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_file_says_what_it_holds),
    EE_FACT(every_frame_can_be_made_again_from_the_file),
    EE_FACT(a_number_of_frames_out_of_range_is_refused),
    EE_FACT(a_schedule_without_points_is_refused),
    EE_FACT(a_path_that_cannot_be_written_is_named),
    EE_FACT(a_file_that_cannot_be_finished_is_an_error_and_leaves_nothing),
    {NULL, NULL},
};
