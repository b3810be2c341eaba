/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and lists of texts in HDF5, as strings of fixed length. */
#include "h5_text.h"

#include <stdlib.h>
#include <string.h>

static ee_status write_strings(const ee_h5 *h5, const char *name, hid_t space, size_t width,
                               const char *data) {
  ee_status status = EE_OK;
  hid_t     type   = ee_h5_text_type(width);
  hid_t     set    = ee_h5_new_dataset(h5, name, type, space, H5P_DEFAULT);
  if (H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    status = ee_h5_fail(h5, EE_ERR_FILE, "write", name);
  ee_h5_release(set);
  ee_h5_release(type);
  return status;
}

ee_status ee_h5_write_text(const ee_h5 *h5, const char *name, const char *text) {
  hid_t     space  = H5Screate(H5S_SCALAR);
  ee_status status = write_strings(h5, name, space, strlen(text) + 1, text);
  ee_h5_release(space);
  return status;
}

ee_status ee_h5_write_texts(const ee_h5 *h5, const char *name, int n, const char *const *text) {
  size_t width = 1, count = n > 0 ? (size_t)n : 0;
  for (int i = 0; i < n; i++) {
    if (strlen(text[i]) >= width) width = strlen(text[i]) + 1;
  }
  char *data = calloc(count + 1, width);
  if (data == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s of %s", name, h5->path);
  for (int i = 0; i < n; i++) memcpy(data + (size_t)i * width, text[i], strlen(text[i]));

  hsize_t   dim    = (hsize_t)n;
  hid_t     space  = H5Screate_simple(1, &dim, NULL);
  ee_status status = write_strings(h5, name, space, width, data);
  ee_h5_release(space);
  free(data);
  return status;
}

/* All strings of an open dataset, one after the other, each *width bytes. */
static ee_status read_strings(const ee_h5 *h5, const char *name, hid_t set, size_t n, size_t *width,
                              char **data) {
  ee_status status = EE_OK;
  hid_t     type   = H5Dget_type(set);
  *width           = H5Tget_size(type);
  *data            = calloc(n + 1, *width + 1);
  if (*data == NULL)
    status = EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", name, h5->path);
  else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *data) < 0)
    status = ee_h5_fail(h5, EE_ERR_FORMAT, "read", name);
  ee_h5_release(type);
  if (status != EE_OK) {
    free(*data);
    *data = NULL;
  }
  return status;
}

ee_status ee_h5_read_text(const ee_h5 *h5, const char *name, char **text) {
  hid_t   set;
  size_t  width;
  hsize_t none;
  *text = NULL;
  EE_TRY(ee_h5_open_dataset(h5, name, H5I_INVALID_HID, 0, &none, &set));
  ee_status status = read_strings(h5, name, set, 1, &width, text);
  ee_h5_release(set);
  return status;
}

static char **split(const char *data, int n, size_t width) {
  char **text = calloc((size_t)n + 1, sizeof *text);
  for (int i = 0; text != NULL && i < n; i++) {
    text[i] = strndup(data + (size_t)i * width, width);
    if (text[i] == NULL) {
      ee_h5_free_texts(text, i);
      text = NULL;
    }
  }
  return text;
}

static ee_status read_list(const ee_h5 *h5, const char *name, hid_t set, int n, char ***text) {
  char  *data;
  size_t width;
  EE_TRY(read_strings(h5, name, set, (size_t)n, &width, &data));
  *text = split(data, n, width);
  free(data);
  return *text != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "to read %s of %s", name, h5->path);
}

ee_status ee_h5_read_texts(const ee_h5 *h5, const char *name, int limit, char ***text, int *n) {
  hid_t   set;
  hsize_t dim;
  *text = NULL;
  *n    = 0;
  EE_TRY(ee_h5_open_dataset(h5, name, H5I_INVALID_HID, 1, &dim, &set));

  ee_status status;
  if (dim > (hsize_t)limit)
    status = EE_FAIL(EE_ERR_FORMAT, "%s: %s has %llu entries, at most %d are allowed", h5->path,
                     name, (unsigned long long)dim, limit);
  else
    status = read_list(h5, name, set, (int)dim, text);
  ee_h5_release(set);
  if (status == EE_OK) *n = (int)dim;
  return status;
}

void ee_h5_free_texts(char **text, int n) {
  for (int i = 0; text != NULL && i < n; i++) free(text[i]);
  free(text);
}
