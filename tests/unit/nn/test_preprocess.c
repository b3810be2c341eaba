/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/exec.h"
#include "ee_test.h"
#include "graph_maker.h"

enum { SAMPLES = 2, CHANNELS = 3, PLANE = 4, TOTAL = SAMPLES * CHANNELS * PLANE };

static ee_model *make_model(float scale, int n_channels) {
  static const float mean[] = {0.5f, 0.25f, 0.125f}, std[] = {0.5f, 2.0f, 0.75f};
  ee_model          *m = maker_begin(CHANNELS * PLANE, SHAPE(1, CHANNELS, 2, 2));
  maker_exit(m, "final", maker_relu(m, "r", m->input));
  m->preprocess = (ee_preprocess){.n_channels = n_channels,
                                  .scale      = scale,
                                  .mean       = malloc(sizeof mean),
                                  .std        = malloc(sizeof std)};
  memcpy(m->preprocess.mean, mean, sizeof mean);
  memcpy(m->preprocess.std, std, sizeof std);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

/* Element by element, the formula in the same precision. */
static float formula(const ee_model *m, float raw, int i) {
  int   c     = i / PLANE % CHANNELS;
  float scale = m->preprocess.scale == 0.0f ? 1.0f : m->preprocess.scale;
  if (m->preprocess.n_channels == 0) return raw * scale;
  return (raw * scale - m->preprocess.mean[c]) / m->preprocess.std[c];
}

static void check(float scale, int n_channels) {
  ee_model *m = make_model(scale, n_channels);
  uint8_t   u8[TOTAL];
  float     f32[TOTAL], out[TOTAL];
  for (int i = 0; i < TOTAL; i++) {
    u8[i]  = (uint8_t)(i * 11);
    f32[i] = (float)i * 0.37f - 3.0f;
  }
  ee_model_preprocess(m, u8, NULL, SAMPLES, out);
  for (int i = 0; i < TOTAL; i++) CU_ASSERT_EQUAL(out[i], formula(m, (float)u8[i], i));
  ee_model_preprocess(m, NULL, f32, SAMPLES, out);
  for (int i = 0; i < TOTAL; i++) CU_ASSERT_EQUAL(out[i], formula(m, f32[i], i));
  ee_model_destroy(&m);
}

static void each_channel_is_scaled_by_its_own_mean_and_deviation(void) {
  check(1.0f / 255.0f, CHANNELS);
  check(0.0f, CHANNELS);
}

static void without_channels_raw_values_are_only_scaled(void) {
  check(1.0f / 255.0f, 0);
  check(1.0f, 0);
  check(0.0f, 0);
}

static void a_batch_is_its_samples_one_by_one(void) {
  ee_model *m = make_model(0.5f, CHANNELS);
  float     in[TOTAL], batch[TOTAL], alone[TOTAL];
  for (int i = 0; i < TOTAL; i++) in[i] = (float)i * 0.1f;
  ee_model_preprocess(m, NULL, in, SAMPLES, batch);
  for (int s = 0; s < SAMPLES; s++) {
    int at = s * CHANNELS * PLANE;
    ee_model_preprocess(m, NULL, in + at, 1, alone + at);
  }
  CU_ASSERT_EQUAL(memcmp(batch, alone, sizeof batch), 0);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(each_channel_is_scaled_by_its_own_mean_and_deviation),
    EE_FACT(without_channels_raw_values_are_only_scaled),
    EE_FACT(a_batch_is_its_samples_one_by_one),
    {NULL, NULL},
};
