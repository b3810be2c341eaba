/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of offloading by sample id, from a table in text or from a trace. */
#include "ee/offload_costs_file.h"

#include <math.h>
#include <stdlib.h>

#include "ee/file_format.h"
#include "ee/trace_file.h"
#include "text_table.h"

#define COST_MAX 8.0        // as policies take it
#define ID_MAX (1LL << 53)  // a double holds every id below

static ee_status append(ee_schedule *costs, double id, double cost) {
  if ((costs->n & (costs->n - 1)) == 0) {  // room for the next power of two
    size_t     room = costs->n > 0 ? 2 * (size_t)costs->n : 1;
    ee_change *more = realloc(costs->change, room * sizeof *more);
    if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu costs of offloading", room);
    costs->change = more;
  }
  costs->change[costs->n++] = (ee_change){id, cost};
  return EE_OK;
}

static ee_status take_row(const ee_text_table *t, const int column[2], ee_schedule *costs) {
  int64_t id;
  double  cost;
  int64_t least = costs->n > 0 ? (int64_t)costs->change[costs->n - 1].at + 1 : 0;
  EE_TRY(ee_text_integer(t, column[0], least, ID_MAX, &id));
  EE_TRY(ee_text_number(t, column[1], &cost));
  if (cost < 0.0 || cost > COST_MAX) {
    return EE_FAIL(EE_ERR_FORMAT, "%s:%lld: cost is %g, expected 0 to %g", t->path,
                   (long long)t->line, cost, COST_MAX);
  }
  return append(costs, (double)id, cost);
}

static ee_status read_rows(ee_text_table *t, ee_schedule *costs) {
  int  column[2];
  bool more;
  EE_TRY(ee_text_column(t, "id", 2, &column[0]));
  EE_TRY(ee_text_column(t, "cost", 4, &column[1]));
  EE_TRY(ee_text_row(t, &more));
  while (more) {
    EE_TRY(take_row(t, column, costs));
    EE_TRY(ee_text_row(t, &more));
  }
  if (costs->n > 0) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s has no rows; expected one per change of the cost", t->path);
}

static ee_status read_text(const char *path, ee_schedule *costs) {
  ee_text_table table;
  EE_TRY(ee_text_open(path, &table));
  ee_status status = read_rows(&table, costs);
  ee_text_close(&table);
  return status;
}

static ee_status take_epochs(const char *path, const ee_trace_file *file, ee_schedule *costs) {
  int                    n;
  const ee_epoch_record *epoch  = ee_trace_file_epochs(file, &n);
  double                 length = ee_trace_file_header(file)->epoch_samples;
  for (int i = 0; i < n; i++) {
    if (isnan(epoch[i].offload_cost)) continue;
    EE_TRY(append(costs, epoch[i].epoch * length, epoch[i].offload_cost));
  }
  if (costs->n > 0) return EE_OK;
  return EE_FAIL(
      EE_ERR_FORMAT,
      "%s: its run told policies no costs by epoch; if it was given one for all samples, "
      "give that number instead",
      path);
}

static ee_status read_trace(const char *path, ee_schedule *costs) {
  ee_trace_file *file;
  EE_TRY(ee_trace_open(path, &file));
  ee_status status = take_epochs(path, file, costs);
  ee_trace_file_close(&file);
  return status;
}

ee_status ee_offload_costs_load(const char *path, ee_schedule *costs) {
  *costs           = (ee_schedule){0};
  ee_status status = ee_file_is_unsealed(path) ? read_trace(path, costs) : read_text(path, costs);
  if (status != EE_OK) {
    free(costs->change);
    *costs = (ee_schedule){0};
  }
  return status;
}
