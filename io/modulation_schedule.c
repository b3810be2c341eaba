/* SPDX-License-Identifier: Apache-2.0 */
/* How the signal-to-noise ratio runs over a stream: reading it from text, and evaluating it. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "modulation_parts.h"

/* Read a number in [low, high] at *at and step over it.  False also for "nan" and for blanks. */
static bool read_number(const char **at, double low, double high, double *value) {
  char *end;
  if (isspace((unsigned char)**at)) return false;
  double x = strtod(*at, &end);
  if (end == *at || !(x >= low && x <= high)) return false;
  *at    = end;
  *value = x;
  return true;
}

/* Step over @p c if it stands at *at. */
static bool accept(const char **at, char c) {
  if (**at != c) return false;
  (*at)++;
  return true;
}

/* "LO:HI" or "SNR". */
static bool read_range(const char **at, double *low, double *high) {
  if (!read_number(at, -EE_SNR_LIMIT, EE_SNR_LIMIT, low)) return false;
  *high = *low;
  if (!accept(at, ':')) return true;
  return read_number(at, -EE_SNR_LIMIT, EE_SNR_LIMIT, high) && *high >= *low;
}

/* "SHARE=RANGE", the share larger than the last one. */
static bool read_point(const char **at, ee_snr_schedule *schedule) {
  int k = schedule->n;
  if (!read_number(at, 0.0, 1.0, &schedule->at[k]) || !accept(at, '=')) return false;
  if (k > 0 && schedule->at[k] <= schedule->at[k - 1]) return false;
  return read_range(at, &schedule->low[k], &schedule->high[k]);
}

/* All points of @p text; *at stays where the first bad one begins. */
static ee_status read_points(const char *text, const char **at, ee_snr_schedule *schedule) {
  do {
    const char *point = *at;
    if (schedule->n == EE_SNR_POINTS) {
      return EE_FAIL(EE_ERR_USAGE, "the SNR schedule \"%s\" has more than %d points", text,
                     EE_SNR_POINTS);
    }
    if (!read_point(at, schedule) || (**at != ',' && **at != '\0')) {
      return EE_FAIL(EE_ERR_USAGE,
                     "the SNR schedule \"%s\" is wrong at \"%.*s\": expected SHARE=LO:HI or "
                     "SHARE=SNR, shares increasing in 0 .. 1, LO <= HI within -%g .. %g dB",
                     text, (int)strcspn(point, ","), point, EE_SNR_LIMIT, EE_SNR_LIMIT);
    }
    schedule->n++;
  } while (accept(at, ','));
  return EE_OK;
}

ee_status ee_snr_schedule_parse(const char *text, ee_snr_schedule *schedule) {
  ee_snr_schedule read = {0};
  const char     *at   = text;
  if (strchr(text, '=') != NULL) {
    EE_TRY(read_points(text, &at, &read));
  } else {
    if (!read_range(&at, &read.low[0], &read.high[0]) || *at != '\0') {
      return EE_FAIL(EE_ERR_USAGE,
                     "the SNR range \"%s\" is wrong: expected LO:HI or SNR with LO <= HI, within "
                     "-%g .. %g dB",
                     text, EE_SNR_LIMIT, EE_SNR_LIMIT);
    }
    read.n = 1;
  }
  *schedule = read;
  return EE_OK;
}

/* The range in force at @p share of the stream. */
static void range_at(const ee_snr_schedule *schedule, double share, double *low, double *high) {
  int after = 0;
  while (after < schedule->n && schedule->at[after] < share) after++;
  int    right = after < schedule->n ? after : schedule->n - 1;
  int    left  = after > 0 ? after - 1 : 0;
  double span  = schedule->at[right] - schedule->at[left];
  double part  = span > 0.0 ? (share - schedule->at[left]) / span : 0.0;
  *low         = schedule->low[left] + part * (schedule->low[right] - schedule->low[left]);
  *high        = schedule->high[left] + part * (schedule->high[right] - schedule->high[left]);
}

double ee_snr_of_frame(const ee_snr_schedule *schedule, uint64_t seed, uint64_t id, uint64_t n) {
  ee_rng rng   = ee_modulation_rng(seed, id, EE_FOR_SNR);
  double share = n > 1 ? (double)id / (double)(n - 1) : 0.0;
  double low, high;
  range_at(schedule, share, &low, &high);
  return ee_rng_between(&rng, low, high);
}
