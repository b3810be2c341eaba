/* SPDX-License-Identifier: Apache-2.0 */
/* Reading arrays of results. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ee/result_file.h"
#include "h5_array.h"
#include "h5_list.h"
#include "h5_seal.h"
#include "h5_text.h"
#include "result_format.h"

#define MAX_ARRAYS 1024

/* One or two dimensions: the file tells. */
static ee_status open_rows(const ee_h5 *h5, const char *name, ee_h5_rows *rows) {
  if (ee_h5_rows_open(h5, name, EE_H5_F64, 1, rows) == EE_OK) return EE_OK;
  return ee_h5_rows_open(h5, name, EE_H5_F64, 2, rows);
}

static ee_status read_rows(const char *path, ee_h5_rows *rows, ee_result_array *array) {
  hsize_t n = rows->dim[0], m = rows->rank == 2 ? rows->dim[1] : 0;
  if (n > INT_MAX || m > INT_MAX || (rows->rank == 2 && m == 0))
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has the impossible shape [%llu, %llu]", path, rows->name,
                   (unsigned long long)n, (unsigned long long)m);
  *array   = (ee_result_array){.name = array->name, .n = (int)n, .m = (int)m};
  array->x = calloc((size_t)n * (m > 0 ? (size_t)m : 1) + 1, sizeof *array->x);
  if (array->x == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", rows->name, path);
  return ee_h5_rows_read(rows, 0, (int64_t)n, array->x);
}

static ee_status read_array(const ee_h5 *h5, const char *name, ee_result_array *array) {
  ee_h5_rows rows;
  array->name = name + 1;
  EE_TRY(open_rows(h5, name, &rows));
  ee_status status = read_rows(h5->path, &rows, array);
  ee_h5_rows_close(&rows);
  return status;
}

static bool is_text(const char *name) {
  return strcmp(name, EE_RESULT_EXITS) == 0 || strcmp(name, EE_RESULT_POLICY) == 0 ||
         strcmp(name, EE_RESULT_SWEEP) == 0;
}

static ee_status read_all(const ee_h5 *h5, ee_result *r) {
  EE_TRY(ee_h5_read_text(h5, EE_RESULT_EXITS, &r->exits));
  EE_TRY(ee_h5_read_text(h5, EE_RESULT_POLICY, &r->policy));
  EE_TRY(ee_h5_read_text(h5, EE_RESULT_SWEEP, &r->sweep));
  EE_TRY(ee_h5_list_datasets(h5, MAX_ARRAYS, &r->name, &r->n_names));
  r->array = calloc((size_t)r->n_names + 1, sizeof *r->array);
  if (r->array == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s", h5->path);
  for (int i = 0; i < r->n_names; i++) {
    if (!is_text(r->name[i])) EE_TRY(read_array(h5, r->name[i], &r->array[r->n_arrays++]));
  }
  return EE_OK;
}

ee_status ee_result_load(const char *path, ee_result **result) {
  ee_h5 h5;
  *result = NULL;
  EE_TRY(ee_h5_open_sealed(path, EE_RESULT_FORMAT, &h5));
  *result = calloc(1, sizeof **result);
  ee_status status =
      *result != NULL ? read_all(&h5, *result) : EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  ee_h5_close(&h5);
  if (status != EE_OK) ee_result_free(result);
  return status;
}

void ee_result_free(ee_result **result) {
  ee_result *r = *result;
  if (r == NULL) return;
  for (int i = 0; i < r->n_arrays; i++) free(r->array[i].x);
  free(r->array);
  ee_h5_free_texts(r->name, r->n_names);
  free(r->exits);
  free(r->policy);
  free(r->sweep);
  free(r);
  *result = NULL;
}
