/* SPDX-License-Identifier: Apache-2.0 */
/* Copies pixels into panels and tiles into results, in several vector lengths. */
#include "blis_loops.h"

#include <math.h>
#include <string.h>

#include "activation.h"
#include "ee/cpu.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Copies of a constant size become a few vector moves. */
ALWAYS_INLINE void copy_pixels(float *restrict to, const float *restrict from, int n) {
  for (; n >= 16; n -= 16, to += 16, from += 16) memcpy(to, from, 16 * sizeof *to);
  if (n >= 8) {
    memcpy(to, from, 8 * sizeof *to);
    n -= 8, to += 8, from += 8;
  }
  if (n >= 4) {
    memcpy(to, from, 4 * sizeof *to);
    n -= 4, to += 4, from += 4;
  }
  for (int i = 0; i < n; i++) to[i] = from[i];
}

ALWAYS_INLINE void copy_run(float *restrict to, const float *restrict from, int n, int64_t step) {
  if (step == 1) {
    copy_pixels(to, from, n);
  } else if (step == 2) {
    for (int i = 0; i < n; i++) to[i] = from[2 * i];
  } else {
    for (int i = 0; i < n; i++) to[i] = from[step * i];
  }
}

/* The most frequent panel: whole, from one row of pixels side by side. */
ALWAYS_INLINE void gather_whole(const ee_blis_gather *g, int lanes) {
  float *to = g->panel;
  for (int64_t c = 0; c < g->channels; c++) {
    const float *from = g->source + c * g->channel_step + g->run[0].offset;
    for (int64_t t = 0; t < g->taps; t++, to += lanes) copy_pixels(to, from + g->tap[t], lanes);
  }
}

ALWAYS_INLINE void gather_runs(const ee_blis_gather *g) {
  float *to = g->panel;
  for (int64_t c = 0; c < g->channels; c++) {
    for (int64_t t = 0; t < g->taps; t++, to += g->lanes) {
      const float *from = g->source + c * g->channel_step + g->tap[t];
      for (int r = 0; r < g->n_runs; r++) {
        copy_run(to + g->run[r].lane, from + g->run[r].offset, g->run[r].n, g->step);
      }
    }
  }
}

ALWAYS_INLINE void gather(const ee_blis_gather *g) {
  bool whole = g->step == 1 && g->run[0].n == g->lanes;
  if (whole && g->lanes == 32) {
    gather_whole(g, 32);
  } else if (whole && g->lanes == 16) {
    gather_whole(g, 16);
  } else {
    gather_runs(g);
  }
}

/* y[i] = max(alpha tile[i] + c, low), where low is -inf if there is nothing to cut off. */
ALWAYS_INLINE void finish_with_one(const float *restrict tile, float alpha, float c, float low,
                                   int n, float *restrict y) {
  for (int i = 0; i < n; i++) {
    float v = alpha * tile[i] + c;
    y[i]    = v < low ? low : v;
  }
}

ALWAYS_INLINE void finish_with_each(const float *restrict tile, float alpha,
                                    const float *restrict c, float beta, float low, int n,
                                    float *restrict y) {
  for (int i = 0; i < n; i++) {
    float v = alpha * tile[i] + beta * c[i];
    y[i]    = v < low ? low : v;
  }
}

ALWAYS_INLINE void scatter_run(const ee_blis_scatter *s, int row, const ee_blis_run *run,
                               float low) {
  const float *tile = s->tile + row * s->lanes + run->lane;
  float       *y    = s->out + row * s->row_step + run->offset;
  if (s->c == NULL) {
    finish_with_one(tile, s->alpha, 0.0F, low, run->n, y);
  } else if (s->c_lane_step == 0) {
    finish_with_one(tile, s->alpha, s->beta * s->c[row * s->c_row_step], low, run->n, y);
  } else {
    finish_with_each(tile, s->alpha, s->c + row * s->c_row_step + run->lane, s->beta, low, run->n,
                     y);
  }
}

ALWAYS_INLINE void scatter(const ee_blis_scatter *s) {
  bool  simple = s->act.kind == EE_ACT_NONE || s->act.kind == EE_ACT_RELU;
  float low    = s->act.kind == EE_ACT_RELU ? 0.0F : -INFINITY;
  for (int row = 0; row < s->rows; row++) {
    for (int r = 0; r < s->n_runs; r++) {
      scatter_run(s, row, &s->run[r], low);
      if (simple) continue;
      float *y = s->out + row * s->row_step + s->run[r].offset;
      ee_act_apply(&s->act, y, y, s->run[r].n);
    }
  }
}

#define DEFINE_LOOPS(name, target)                              \
  target static void name##_gather(const ee_blis_gather *g) {   \
    gather(g);                                                  \
  }                                                             \
  target static void name##_scatter(const ee_blis_scatter *s) { \
    scatter(s);                                                 \
  }                                                             \
  static const ee_blis_loops name = {name##_gather, name##_scatter};

DEFINE_LOOPS(base, )
#if defined(__x86_64__) || defined(__i386__)
DEFINE_LOOPS(avx2, __attribute__((target("avx2"))))
DEFINE_LOOPS(avx512, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))))
#else
#define avx2 base
#define avx512 base
#endif

const ee_blis_loops *ee_blis_loops_get(void) {
  static const ee_blis_loops *const of_level[] = {
      [EE_CPU_BASE] = &base, [EE_CPU_AVX2] = &avx2, [EE_CPU_AVX512] = &avx512};
  return of_level[ee_cpu_vectors()];
}
