/* SPDX-License-Identifier: Apache-2.0 */
/* Finds BLIS's micro-kernel for this processor and calls it.  The only file that includes BLIS. */
#include "blis_kernel.h"

#include <blis.h>
#include <stdio.h>
#include <stdlib.h>

#include "ee/cpu.h"
#include "ee/log.h"

static struct {
  sgemm_ukr_ft  run;  // NULL until BLIS is open
  cntx_t       *context;
  bool          rows_first;  // the micro-kernel's m side are our rows
  ee_blis_shape shape;
} kernel;

/* What was built into BLIS and can be told apart by vectors; BLIS ends the process when it is told
 * anything that was not built, and the processor ends it where its instructions are missing. */
static const struct {
  arch_t       id;
  ee_cpu_level level;  // vectors that its kernels need
} architecture[] = {
#ifdef BLIS_CONFIG_SKX
    {BLIS_ARCH_SKX, EE_CPU_AVX512},
#endif
#ifdef BLIS_CONFIG_HASWELL
    {BLIS_ARCH_HASWELL, EE_CPU_AVX2},
#endif
#ifdef BLIS_CONFIG_ZEN3
    {BLIS_ARCH_ZEN3, EE_CPU_AVX2},
#endif
#ifdef BLIS_CONFIG_ZEN2
    {BLIS_ARCH_ZEN2, EE_CPU_AVX2},
#endif
#ifdef BLIS_CONFIG_ZEN
    {BLIS_ARCH_ZEN, EE_CPU_AVX2},
#endif
#ifdef BLIS_CONFIG_CORTEXA57
    {BLIS_ARCH_CORTEXA57, EE_CPU_BASE},
#endif
#ifdef BLIS_CONFIG_CORTEXA53
    {BLIS_ARCH_CORTEXA53, EE_CPU_BASE},
#endif
#ifdef BLIS_CONFIG_GENERIC
    {BLIS_ARCH_GENERIC, EE_CPU_BASE},
#endif
    {BLIS_NUM_ARCHS, EE_CPU_BASE},  // none, so that the list is never empty
};

#define N_ARCHITECTURES (sizeof architecture / sizeof architecture[0] - 1)

static bool architecture_works(long id, ee_cpu_level level) {
  for (size_t i = 0; i < N_ARCHITECTURES; i++) {
    if ((long)architecture[i].id == id) return architecture[i].level <= level;
  }
  return false;
}

/* "0 (skx), 3 (haswell), ": those that work. */
static void list_architectures(ee_cpu_level level, char *text, size_t size) {
  size_t used = 0;
  text[0]     = '\0';
  for (size_t i = 0; i < N_ARCHITECTURES && used < size; i++) {
    if (architecture[i].level > level) continue;
    used += (size_t)snprintf(text + used, size - used, "%d (%s), ", (int)architecture[i].id,
                             bli_arch_string(architecture[i].id));
  }
}

static ee_status check_architecture(const char *text, ee_cpu_level level) {
  char *end = NULL;
  long  id  = strtol(text, &end, 10);
  if (end != text && *end == '\0' && architecture_works(id, level)) return EE_OK;
  char list[256];
  list_architectures(level, list, sizeof list);
  return EE_FAIL(EE_ERR_ARG,
                 "the environment's BLIS_ARCH_TYPE is \"%s\", expected a number that works with "
                 "this processor and this BLIS: %sor leave it unset",
                 text, list);
}

/* BLIS 0.9 knows AMD's processors up to Zen 3 and runs its generic kernels, seven times slower, on
 * younger ones.  So tell it, unless the user did. */
static ee_status choose_architecture(ee_cpu_level level) {
  const char *chosen = getenv("BLIS_ARCH_TYPE");
  if (chosen != NULL) return check_architecture(chosen, level);
  int best = level == EE_CPU_AVX512 ? BLIS_ARCH_SKX : BLIS_ARCH_HASWELL;
  if (!architecture_works(best, level)) return EE_OK;
  char text[16];
  snprintf(text, sizeof text, "%d", best);
  if (setenv("BLIS_ARCH_TYPE", text, 0) != 0) {
    return EE_FAIL(EE_ERR_NOMEM, "for the environment's BLIS_ARCH_TYPE");
  }
  return EE_OK;
}

ee_status ee_blis_open(void) {
  if (kernel.run != NULL) return EE_OK;
  ee_cpu_level level = ee_cpu_vectors();
  EE_TRY(choose_architecture(level));
  bli_init();
  if (bli_arch_query_id() == BLIS_ARCH_GENERIC && level != EE_CPU_BASE) {
    ee_log(EE_LOG_WARNING,
           "BLIS runs its generic kernels although this processor has AVX2; unset BLIS_ARCH_TYPE, "
           "or use a BLIS built for x86_64");
  }
  kernel.context = bli_gks_query_cntx();
  int m          = (int)bli_cntx_get_blksz_def_dt(BLIS_FLOAT, BLIS_MR, kernel.context);
  int n          = (int)bli_cntx_get_blksz_def_dt(BLIS_FLOAT, BLIS_NR, kernel.context);
  kernel.rows_first =
      !bli_cntx_l3_vir_ukr_prefers_cols_dt(BLIS_FLOAT, BLIS_GEMM_UKR, kernel.context);
  kernel.shape =
      (ee_blis_shape){.lanes = kernel.rows_first ? n : m, .rows = kernel.rows_first ? m : n};
  kernel.run = (sgemm_ukr_ft)bli_cntx_get_l3_vir_ukr_dt(BLIS_FLOAT, BLIS_GEMM_UKR, kernel.context);
  return EE_OK;
}

void ee_blis_describe(char *text, size_t size) {
  snprintf(text, size, "BLIS %s, kernels for %s, tiles of %d x %d", bli_info_get_version_str(),
           bli_arch_string(bli_arch_query_id()), kernel.shape.lanes, kernel.shape.rows);
}

ee_blis_shape ee_blis_tile_shape(void) {
  ee_blis_open();
  return kernel.shape;
}

void ee_blis_tile(int64_t depth, const float *by_row, const float *by_lane, float *tile) {
  float     one = 1.0F, zero = 0.0F;
  int       lanes = kernel.shape.lanes, rows = kernel.shape.rows;
  auxinfo_t ahead = {0};
  float    *r = (float *)by_row, *l = (float *)by_lane;  // BLIS does not write to them
  bli_auxinfo_set_next_a(kernel.rows_first ? r : l, &ahead);
  bli_auxinfo_set_next_b(kernel.rows_first ? l : r, &ahead);
  if (kernel.rows_first) {
    kernel.run(rows, lanes, depth, &one, r, l, &zero, tile, lanes, 1, &ahead, kernel.context);
  } else {
    kernel.run(lanes, rows, depth, &one, l, r, &zero, tile, 1, lanes, &ahead, kernel.context);
  }
}

/* One column of a panel of `width` columns. */
static void pack_column(const float *row, int64_t column_step, int64_t depth, int width,
                        float *column) {
  for (int64_t k = 0; k < depth; k++) column[k * width] = row[k * column_step];
}

static void clear_column(int64_t depth, int width, float *column) {
  for (int64_t k = 0; k < depth; k++) column[k * width] = 0.0F;
}

void ee_blis_pack_rows(const float *matrix, int64_t row_step, int64_t column_step, int64_t rows,
                       int64_t depth, int width, float *packed) {
  int64_t stride = ee_blis_panel_stride(depth, width);
  int64_t panels = (rows + width - 1) / width;
  for (int64_t r = 0; r < panels * width; r++) {
    float *column = packed + r / width * stride + r % width;
    if (r < rows) {
      pack_column(matrix + r * row_step, column_step, depth, width, column);
    } else {
      clear_column(depth, width, column);
    }
  }
}
