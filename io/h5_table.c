/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in HDF5: one C struct per row. */
#include "h5_table.h"

#include <stdlib.h>
#include <string.h>

/* Type of one member; to be released. */
static hid_t member_type(const ee_h5_column *column, bool in_file) {
  if (column->kind == EE_H5_TEXT) return ee_h5_text_type(column->count);
  hid_t base = in_file ? ee_h5_file_type(column->kind) : ee_h5_memory_type(column->kind);
  if (column->count == 1) return H5Tcopy(base);
  hsize_t dim = column->count;
  return H5Tarray_create2(base, 1, &dim);
}

/* Type of a row: the struct in memory, or the same without padding in the file. */
static hid_t row_type(const ee_h5_layout *layout, bool in_file) {
  hid_t  row  = H5Tcreate(H5T_COMPOUND, layout->row_bytes);
  herr_t done = 0;
  for (int i = 0; i < layout->n_columns && done >= 0; i++) {
    const ee_h5_column *column = &layout->column[i];
    hid_t               member = member_type(column, in_file);
    done                       = H5Tinsert(row, column->name, column->offset, member);
    ee_h5_release(member);
  }
  if (done >= 0 && in_file) done = H5Tpack(row);
  if (done >= 0) return row;
  ee_h5_release(row);
  return H5I_INVALID_HID;
}

ee_status ee_h5_write_table(const ee_h5 *h5, const char *name, const ee_h5_layout *layout, int n,
                            const void *rows) {
  ee_status status = EE_OK;
  hsize_t   dim    = (hsize_t)n;
  hid_t     stored = row_type(layout, true);
  hid_t     memory = row_type(layout, false);
  hid_t     space  = H5Screate_simple(1, &dim, NULL);
  hid_t     set    = ee_h5_new_dataset(h5, name, stored, space, H5P_DEFAULT);
  if (H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows) < 0)
    status = ee_h5_fail(h5, EE_ERR_FILE, "write", name);
  ee_h5_release(set);
  ee_h5_release(space);
  ee_h5_release(memory);
  ee_h5_release(stored);
  return status;
}

static void end_texts(const ee_h5_layout *layout, int n, char *rows) {
  for (int i = 0; i < layout->n_columns; i++) {
    const ee_h5_column *column = &layout->column[i];
    if (column->kind != EE_H5_TEXT) continue;
    for (int row = 0; row < n; row++)
      rows[(size_t)row * layout->row_bytes + column->offset + column->count - 1] = '\0';
  }
}

static ee_status read_rows(const ee_h5 *h5, const char *name, const ee_h5_layout *layout, hid_t set,
                           int n, void **rows) {
  *rows = calloc((size_t)n + 1, layout->row_bytes);
  if (*rows == NULL) return EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", name, h5->path);

  ee_status status = EE_OK;
  hid_t     memory = row_type(layout, false);
  if (H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, *rows) < 0)
    status = ee_h5_fail(h5, EE_ERR_FORMAT, "read", name);
  ee_h5_release(memory);
  if (status != EE_OK) {
    free(*rows);
    *rows = NULL;
    return status;
  }
  end_texts(layout, n, *rows);
  return EE_OK;
}

ee_status ee_h5_read_table(const ee_h5 *h5, const char *name, const ee_h5_layout *layout, int limit,
                           void **rows, int *n) {
  hid_t   set, stored = row_type(layout, true);
  hsize_t dim;
  *rows            = NULL;
  *n               = 0;
  ee_status status = stored < 0 ? ee_h5_fail(h5, EE_ERR_NOMEM, "make a type for", name)
                                : ee_h5_open_dataset(h5, name, stored, 1, &dim, &set);
  ee_h5_release(stored);
  if (status != EE_OK) return status;

  if (dim > (hsize_t)limit)
    status = EE_FAIL(EE_ERR_FORMAT, "%s: %s has %llu rows, at most %d are allowed", h5->path, name,
                     (unsigned long long)dim, limit);
  else
    status = read_rows(h5, name, layout, set, (int)dim, rows);
  ee_h5_release(set);
  if (status == EE_OK) *n = (int)dim;
  return status;
}
