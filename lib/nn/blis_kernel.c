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

/* BLIS ends the process when it is told an architecture that does not exist, so ask first. */
static ee_status check_architecture(const char *text) {
  char *end = NULL;
  long  id  = strtol(text, &end, 10);
  if (end == text || *end != '\0' || id < 0 || id >= BLIS_NUM_ARCHS) {
    return EE_FAIL(EE_ERR_ARG,
                   "the environment's BLIS_ARCH_TYPE is \"%s\", expected a number from 0 to %d "
                   "(0: AVX-512, 3: AVX2), or leave it unset",
                   text, BLIS_NUM_ARCHS - 1);
  }
  return EE_OK;
}

/* BLIS 0.9 knows AMD's processors up to Zen 3 and runs its generic kernels, seven times slower, on
 * younger ones.  So tell it, unless the user did. */
static ee_status choose_architecture(ee_cpu_level level) {
  const char *chosen = getenv("BLIS_ARCH_TYPE");
  if (chosen != NULL) return check_architecture(chosen);
  if (level == EE_CPU_BASE) return EE_OK;
  char text[16];
  snprintf(text, sizeof text, "%d", level == EE_CPU_AVX512 ? BLIS_ARCH_SKX : BLIS_ARCH_HASWELL);
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
