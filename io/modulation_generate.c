/* SPDX-License-Identifier: Apache-2.0 */
/* A data file of radio frames. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/data_file.h"
#include "modulation_parts.h"

#define BLOCK 1024  // frames made and written at a time
#define MOST_FRAMES ((uint64_t)1 << 40)

typedef struct block {
  float   iq[BLOCK][2 * EE_FRAME_SAMPLES];
  int32_t label[BLOCK];
  float   snr[BLOCK];
} block;

/* "0=-10:20,1=5:5" */
static void schedule_text(const ee_snr_schedule *schedule, char *text, size_t size) {
  size_t used = 0;
  for (int k = 0; k < schedule->n && used < size; k++) {
    int wrote = snprintf(text + used, size - used, "%s%.9g=%.9g:%.9g", k > 0 ? "," : "",
                         schedule->at[k], schedule->low[k], schedule->high[k]);
    used += wrote > 0 ? (size_t)wrote : 0;
  }
}

static void provenance(uint64_t n, uint64_t seed, const ee_snr_schedule *schedule, char *text,
                       size_t size) {
  char run[64 * EE_SNR_POINTS] = "";
  schedule_text(schedule, run, sizeof run);
  snprintf(text, size,
           "radio frames by formula: seed %" PRIu64 ", frames %" PRIu64
           ", SNR schedule %s dB; %g Hz, %d samples per symbol, roll-off %g, carrier offset up to "
           "%g Hz, rate offset up to %g Hz, %d paths, Rice factor %g, Doppler up to %g Hz; "
           "docs/modulation.md",
           seed, n, run, EE_SAMPLE_RATE, EE_SAMPLES_PER_SYMBOL, EE_ROLL_OFF, EE_MAX_CARRIER_OFFSET,
           EE_MAX_RATE_OFFSET, EE_PATHS, EE_RICE_FACTOR, EE_MAX_DOPPLER);
}

static ee_status create_file(const char *out, uint64_t n, uint64_t seed,
                             const ee_snr_schedule *schedule, ee_data_writer **writer) {
  char text[2048];
  provenance(n, seed, schedule, text, sizeof text);
  ee_data_info      info        = {.type       = EE_DATA_F32,
                                   .dim        = {2, 1, EE_FRAME_SAMPLES},
                                   .n_classes  = EE_MODULATIONS,
                                   .class_name = ee_modulation_name,
                                   .labelled   = true,
                                   .provenance = text};
  const char *const attribute[] = {"snr", NULL};
  return ee_data_create(out, &info, attribute, writer);
}

static ee_status write_frames(ee_data_writer *writer, uint64_t n, uint64_t seed,
                              const ee_snr_schedule *schedule, block *b) {
  for (uint64_t first = 0; first < n; first += BLOCK) {
    int count = n - first < BLOCK ? (int)(n - first) : BLOCK;
    for (int k = 0; k < count; k++) {
      uint64_t id = first + (uint64_t)k;
      b->label[k] = ee_modulation_of_frame(seed, id);
      b->snr[k]   = (float)ee_snr_of_frame(schedule, seed, id, n);
      ee_modulation_frame(seed, id, b->label[k], b->snr[k], b->iq[k]);
    }
    const float *const attribute[] = {b->snr};
    EE_TRY(ee_data_append(writer, count, b->iq, b->label, attribute));
  }
  return EE_OK;
}

ee_status ee_generate_modulation(const char *out, uint64_t n, uint64_t seed,
                                 const ee_snr_schedule *schedule) {
  ee_data_writer *writer = NULL;
  if (n < 1 || n > MOST_FRAMES) {
    return EE_FAIL(EE_ERR_ARG, "%" PRIu64 " frames were asked for, expected 1 .. %" PRIu64, n,
                   MOST_FRAMES);
  }
  if (schedule->n < 1 || schedule->n > EE_SNR_POINTS) {
    return EE_FAIL(EE_ERR_ARG, "the SNR schedule has %d points, expected 1 .. %d", schedule->n,
                   EE_SNR_POINTS);
  }
  block *b = malloc(sizeof *b);
  if (b == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a block of %d frames", BLOCK);

  ee_status status = create_file(out, n, seed, schedule, &writer);
  if (status == EE_OK) {
    status          = write_frames(writer, n, seed, schedule, b);
    ee_status ended = ee_data_finish(&writer, status == EE_OK);
    if (status == EE_OK) status = ended;
  }
  free(b);
  return status;
}
