/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability diagrams, written and read. */
#include "ee/reliability_file.h"

#include <stdlib.h>

#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define FORMAT "edgeexit-reliability"
#define MAX_EXITS 65536
#define MAX_BINS 4096

static ee_status write_all(const ee_h5 *h5, const ee_reliability_data *data) {
  const hsize_t dim[] = {(hsize_t)data->n_exits, 2, (hsize_t)data->n_bins};
  EE_TRY(ee_h5_write_array(h5, "/count", EE_H5_I64, 3, dim, data->count));
  EE_TRY(ee_h5_write_array(h5, "/confidence", EE_H5_F64, 3, dim, data->confidence));
  EE_TRY(ee_h5_write_array(h5, "/accuracy", EE_H5_F64, 3, dim, data->accuracy));
  EE_TRY(ee_h5_write_array(h5, "/temperature", EE_H5_F64, 2, dim, data->temperature));
  EE_TRY(ee_h5_write_array(h5, "/ece", EE_H5_F64, 2, dim, data->ece));
  return ee_h5_write_text(h5, "/provenance", data->provenance != NULL ? data->provenance : "");
}

ee_status ee_reliability_save(const char *path, const ee_reliability_data *data) {
  ee_h5 h5;
  EE_TRY(ee_h5_create_sealed(path, FORMAT, &h5));
  ee_status status = write_all(&h5, data);
  if (status == EE_OK) status = ee_h5_commit(&h5);
  ee_h5_discard(&h5);  // nothing is left to discard once it was kept
  return status;
}

/* ---- reading ---- */

struct ee_reliability_file {
  ee_reliability_data data;  // its arrays are those below
  int64_t            *count;
  double             *confidence, *accuracy, *temperature, *ece;
  char               *provenance;
};

const ee_reliability_data *ee_reliability_file_data(const ee_reliability_file *file) {
  return &file->data;
}

/* Exits and bins, from the shape of the counts. */
static ee_status read_shape(const ee_h5 *h5, ee_reliability_data *data) {
  ee_h5_rows rows;
  EE_TRY(ee_h5_rows_open(h5, "/count", EE_H5_I64, 3, &rows));
  hsize_t exits = rows.dim[0], two = rows.dim[1], bins = rows.dim[2];
  ee_h5_rows_close(&rows);
  if (exits < 1 || exits > MAX_EXITS || two != 2 || bins < 1 || bins > MAX_BINS)
    return EE_FAIL(EE_ERR_FORMAT,
                   "%s: /count has shape [%llu, %llu, %llu], expected [exits, 2, bins]", h5->path,
                   (unsigned long long)exits, (unsigned long long)two, (unsigned long long)bins);
  data->n_exits = (int)exits;
  data->n_bins  = (int)bins;
  return EE_OK;
}

/* Read an array of @p rank dimensions of the shape of the counts into new memory. */
static ee_status read_new(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                          const ee_reliability_data *data, void **x) {
  const hsize_t dim[] = {(hsize_t)data->n_exits, 2, (hsize_t)data->n_bins};
  size_t        n     = 2 * (size_t)data->n_exits * (rank == 3 ? (size_t)data->n_bins : 1);
  *x                  = calloc(n, ee_h5_kind_bytes(kind));
  if (*x == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", name, h5->path);
  return ee_h5_read_array(h5, name, kind, rank, dim, *x);
}

static ee_status check_range(const char *path, const char *name, int n, const double *x, double low,
                             double high) {
  for (int i = 0; i < n; i++) {
    if (!(x[i] >= low && x[i] <= high))
      return EE_FAIL(EE_ERR_FORMAT, "%s: element %d of %s is %g, expected %g to %g", path, i, name,
                     x[i], low, high);
  }
  return EE_OK;
}

static ee_status check_all(const char *path, const ee_reliability_data *data) {
  int exits = 2 * data->n_exits, bins = exits * data->n_bins;
  for (int i = 0; i < bins; i++) {
    if (data->count[i] < 0)
      return EE_FAIL(EE_ERR_FORMAT, "%s: element %d of /count is %lld", path, i,
                     (long long)data->count[i]);
  }
  EE_TRY(check_range(path, "/confidence", bins, data->confidence, 0.0, 1.0 + 1e-6));
  EE_TRY(check_range(path, "/accuracy", bins, data->accuracy, 0.0, 1.0 + 1e-6));
  EE_TRY(check_range(path, "/temperature", exits, data->temperature, 1e-9, 1e9));
  return check_range(path, "/ece", exits, data->ece, 0.0, 1.0 + 1e-6);
}

static ee_status read_all(const ee_h5 *h5, ee_reliability_file *f) {
  ee_reliability_data *data = &f->data;
  EE_TRY(read_shape(h5, data));
  EE_TRY(read_new(h5, "/count", EE_H5_I64, 3, data, (void **)&f->count));
  EE_TRY(read_new(h5, "/confidence", EE_H5_F64, 3, data, (void **)&f->confidence));
  EE_TRY(read_new(h5, "/accuracy", EE_H5_F64, 3, data, (void **)&f->accuracy));
  EE_TRY(read_new(h5, "/temperature", EE_H5_F64, 2, data, (void **)&f->temperature));
  EE_TRY(read_new(h5, "/ece", EE_H5_F64, 2, data, (void **)&f->ece));
  EE_TRY(ee_h5_read_text(h5, "/provenance", &f->provenance));
  data->count       = f->count;
  data->confidence  = f->confidence;
  data->accuracy    = f->accuracy;
  data->temperature = f->temperature;
  data->ece         = f->ece;
  data->provenance  = f->provenance;
  return check_all(h5->path, data);
}

ee_status ee_reliability_open(const char *path, ee_reliability_file **file) {
  ee_h5 h5;
  *file = NULL;
  EE_TRY(ee_h5_open_sealed(path, FORMAT, &h5));
  *file = calloc(1, sizeof **file);
  ee_status status =
      *file != NULL ? read_all(&h5, *file) : EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  ee_h5_close(&h5);
  if (status != EE_OK) ee_reliability_close(file);
  return status;
}

void ee_reliability_close(ee_reliability_file **file) {
  ee_reliability_file *f = *file;
  if (f == NULL) return;
  free(f->count);
  free(f->confidence);
  free(f->accuracy);
  free(f->temperature);
  free(f->ece);
  free(f->provenance);
  free(f);
  *file = NULL;
}
