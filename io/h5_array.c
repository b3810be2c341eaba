/* SPDX-License-Identifier: Apache-2.0 */
/* Numeric arrays in HDF5: whole, and by rows. */
#include "h5_array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHUNK_BYTES ((hsize_t)1 << 31)  // HDF5 allows 4 GiB - 1

ee_status ee_h5_write_array(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                            const hsize_t *dim, const void *data) {
  ee_status status = EE_OK;
  hid_t     space  = rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dim, NULL);
  hid_t     set    = ee_h5_new_dataset(h5, name, ee_h5_file_type(kind), space, H5P_DEFAULT);
  if (H5Dwrite(set, ee_h5_memory_type(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    status = ee_h5_fail(h5, EE_ERR_FILE, "write", name);
  ee_h5_release(set);
  ee_h5_release(space);
  return status;
}

static ee_status read_whole(const ee_h5 *h5, const char *name, ee_h5_kind kind, hid_t set,
                            void *data) {
  if (H5Dread(set, ee_h5_memory_type(kind), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    return ee_h5_fail(h5, EE_ERR_FORMAT, "read", name);
  return EE_OK;
}

ee_status ee_h5_read_array(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                           const hsize_t *dim, void *data) {
  hid_t   set;
  hsize_t actual[EE_H5_MAX_RANK];
  EE_TRY(ee_h5_open_dataset(h5, name, ee_h5_file_type(kind), rank, actual, &set));

  ee_status status = EE_OK;
  for (int i = 0; i < rank && status == EE_OK; i++) {
    if (actual[i] != dim[i])
      status = EE_FAIL(EE_ERR_FORMAT, "%s: dimension %d of %s is %llu, expected %llu", h5->path, i,
                       name, (unsigned long long)actual[i], (unsigned long long)dim[i]);
  }
  if (status == EE_OK) status = read_whole(h5, name, kind, set, data);
  ee_h5_release(set);
  return status;
}

static ee_status read_new_vector(const ee_h5 *h5, const char *name, ee_h5_kind kind, hid_t set,
                                 hsize_t n, void **data) {
  *data = malloc(n > 0 ? n * ee_h5_kind_bytes(kind) : 1);
  if (*data == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", name, h5->path);
  ee_status status = read_whole(h5, name, kind, set, *data);
  if (status != EE_OK) {
    free(*data);
    *data = NULL;
  }
  return status;
}

ee_status ee_h5_read_vector(const ee_h5 *h5, const char *name, ee_h5_kind kind, int64_t limit,
                            void **data, int64_t *n) {
  hid_t   set;
  hsize_t length;
  *data = NULL;
  EE_TRY(ee_h5_open_dataset(h5, name, ee_h5_file_type(kind), 1, &length, &set));

  ee_status status;
  if (length > (hsize_t)limit)
    status = EE_FAIL(EE_ERR_FORMAT, "%s: %s has %llu elements, at most %lld are allowed", h5->path,
                     name, (unsigned long long)length, (long long)limit);
  else
    status = read_new_vector(h5, name, kind, set, length, data);
  ee_h5_release(set);
  *n = status == EE_OK ? (int64_t)length : 0;
  return status;
}

/* Bytes of one row; 0 if they are more than a chunk can have. */
static hsize_t row_bytes(ee_h5_kind kind, int rank, const hsize_t *dim) {
  hsize_t bytes = ee_h5_kind_bytes(kind);
  for (int i = 1; i < rank; i++) {
    if (dim[i] == 0 || dim[i] > MAX_CHUNK_BYTES / bytes) return 0;
    bytes *= dim[i];
  }
  return bytes;
}

static hid_t create_growing(const ee_h5_rows *rows, hsize_t rows_per_chunk) {
  hsize_t dim[EE_H5_MAX_RANK], most[EE_H5_MAX_RANK], chunk[EE_H5_MAX_RANK];
  for (int i = 0; i < rows->rank; i++) dim[i] = most[i] = chunk[i] = rows->dim[i];
  dim[0]   = 0;
  most[0]  = H5S_UNLIMITED;
  chunk[0] = rows_per_chunk;

  hid_t space      = H5Screate_simple(rows->rank, dim, most);
  hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  hid_t set        = H5I_INVALID_HID;
  if (H5Pset_chunk(properties, rows->rank, chunk) >= 0)
    set = ee_h5_new_dataset(rows->h5, rows->name, ee_h5_file_type(rows->kind), space, properties);
  ee_h5_release(properties);
  ee_h5_release(space);
  return set;
}

ee_status ee_h5_rows_create(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                            const hsize_t *dim, size_t chunk_bytes, ee_h5_rows *rows) {
  *rows = (ee_h5_rows){.h5 = h5, .kind = kind, .rank = rank, .set = H5I_INVALID_HID};
  snprintf(rows->name, sizeof rows->name, "%s", name);
  for (int i = 1; i < rank; i++) rows->dim[i] = dim[i];

  hsize_t bytes = row_bytes(kind, rank, dim);
  if (bytes == 0)
    return EE_FAIL(EE_ERR_ARG, "%s: a row of %s is empty or larger than 2 GiB", h5->path, name);
  rows->set = create_growing(rows, bytes < chunk_bytes ? chunk_bytes / bytes : 1);
  if (rows->set < 0) return ee_h5_fail(h5, EE_ERR_FILE, "create", name);
  return EE_OK;
}

/* Select rows [first, first + n) and hand them to HDF5. */
static herr_t transfer(const ee_h5_rows *rows, hsize_t first, hsize_t n, void *in,
                       const void *out) {
  hsize_t start[EE_H5_MAX_RANK] = {first}, count[EE_H5_MAX_RANK] = {n};
  for (int i = 1; i < rows->rank; i++) count[i] = rows->dim[i];

  hid_t  file   = H5Dget_space(rows->set);
  hid_t  memory = H5Screate_simple(rows->rank, count, NULL);
  hid_t  type   = ee_h5_memory_type(rows->kind);
  herr_t done   = H5Sselect_hyperslab(file, H5S_SELECT_SET, start, NULL, count, NULL);
  if (done >= 0)
    done = in != NULL ? H5Dread(rows->set, type, memory, file, H5P_DEFAULT, in)
                      : H5Dwrite(rows->set, type, memory, file, H5P_DEFAULT, out);
  ee_h5_release(memory);
  ee_h5_release(file);
  return done;
}

ee_status ee_h5_rows_append(ee_h5_rows *rows, int64_t n, const void *data) {
  if (n == 0) return EE_OK;
  hsize_t first = rows->dim[0];
  rows->dim[0]  = first + (hsize_t)n;
  if (H5Dset_extent(rows->set, rows->dim) < 0 || transfer(rows, first, (hsize_t)n, NULL, data) < 0)
    return ee_h5_fail(rows->h5, EE_ERR_FILE, "write", rows->name);
  return ee_h5_check_written(rows->h5);
}

ee_status ee_h5_rows_open(const ee_h5 *h5, const char *name, ee_h5_kind kind, int rank,
                          ee_h5_rows *rows) {
  *rows = (ee_h5_rows){.h5 = h5, .kind = kind, .rank = rank, .set = H5I_INVALID_HID};
  snprintf(rows->name, sizeof rows->name, "%s", name);
  return ee_h5_open_dataset(h5, name, ee_h5_file_type(kind), rank, rows->dim, &rows->set);
}

ee_status ee_h5_rows_check(const ee_h5_rows *rows, int64_t first, int64_t n) {
  int64_t there = (int64_t)rows->dim[0];
  if (first >= 0 && n >= 0 && first <= there && n <= there - first) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: %lld samples from %lld on were asked for, there are %lld",
                 rows->h5->path, (long long)n, (long long)first, (long long)there);
}

ee_status ee_h5_rows_read(const ee_h5_rows *rows, int64_t first, int64_t n, void *data) {
  EE_TRY(ee_h5_rows_check(rows, first, n));
  if (n > 0 && transfer(rows, (hsize_t)first, (hsize_t)n, data, NULL) < 0)
    return ee_h5_fail(rows->h5, EE_ERR_FORMAT, "read", rows->name);
  return EE_OK;
}

int ee_h5_rows_close(ee_h5_rows *rows) {
  int done = rows->h5 == NULL ? 0 : ee_h5_release(rows->set);
  *rows    = (ee_h5_rows){.set = H5I_INVALID_HID};
  return done;
}
