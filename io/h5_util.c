/* SPDX-License-Identifier: Apache-2.0 */
/* What every user of HDF5 needs: types, errors with a path, attributes, checked opening. */
#include "h5_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ee_h5_quiet(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* The innermost entry of HDF5's error stack is the cause. */
static herr_t take_reason(unsigned n, const H5E_error2_t *error, void *text) {
  if (n == 0 && error->desc != NULL) snprintf(text, 256, "%s", error->desc);
  return 0;
}

ee_status ee_h5_fail(const ee_h5 *h5, ee_status status, const char *what, const char *name) {
  char reason[256] = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
  return EE_FAIL(status, "%s: cannot %s %s (HDF5: %s)", h5->path, what, name, reason);
}

ee_status ee_h5_check_written(const ee_h5 *h5) {
  int error = h5->write_error != NULL ? *h5->write_error : 0;
  if (error == 0) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", h5->path, strerror(error));
}

int ee_h5_release(hid_t id) {
  return id < 0 ? 0 : H5Idec_ref(id);
}

int ee_h5_close(ee_h5 *h5) {
  int done = h5->path == NULL ? 0 : ee_h5_release(h5->id);
  free(h5->path);
  free(h5->write_error);
  *h5 = (ee_h5){.id = H5I_INVALID_HID};
  return done;
}

hid_t ee_h5_file_type(ee_h5_kind kind) {
  switch (kind) {
    case EE_H5_U8:
      return H5T_STD_U8LE;
    case EE_H5_I32:
      return H5T_STD_I32LE;
    case EE_H5_I64:
      return H5T_STD_I64LE;
    case EE_H5_F32:
      return H5T_IEEE_F32LE;
    case EE_H5_F64:
      return H5T_IEEE_F64LE;
    case EE_H5_TEXT:
      break;
  }
  return H5I_INVALID_HID;
}

hid_t ee_h5_memory_type(ee_h5_kind kind) {
  switch (kind) {
    case EE_H5_U8:
      return H5T_NATIVE_UINT8;
    case EE_H5_I32:
      return H5T_NATIVE_INT32;
    case EE_H5_I64:
      return H5T_NATIVE_INT64;
    case EE_H5_F32:
      return H5T_NATIVE_FLOAT;
    case EE_H5_F64:
      return H5T_NATIVE_DOUBLE;
    case EE_H5_TEXT:
      break;
  }
  return H5I_INVALID_HID;
}

size_t ee_h5_kind_bytes(ee_h5_kind kind) {
  static const size_t bytes[] = {
      [EE_H5_U8] = 1, [EE_H5_I32] = 4, [EE_H5_I64] = 8, [EE_H5_F32] = 4, [EE_H5_F64] = 8};
  return kind == EE_H5_TEXT ? 0 : bytes[kind];
}

hid_t ee_h5_text_type(size_t bytes) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (H5Tset_size(type, bytes) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0) return type;
  ee_h5_release(type);
  return H5I_INVALID_HID;
}

bool ee_h5_exists(const ee_h5 *h5, const char *name) {
  char part[256];
  for (const char *end = name; *end != '\0';) {
    end += 1 + strcspn(end + 1, "/");
    if ((size_t)(end - name) >= sizeof part) return false;
    snprintf(part, sizeof part, "%.*s", (int)(end - name), name);
    if (H5Lexists(h5->id, part, H5P_DEFAULT) <= 0) return false;
  }
  return true;
}

hid_t ee_h5_new_dataset(const ee_h5 *h5, const char *name, hid_t type, hid_t space,
                        hid_t properties) {
  hid_t links = H5Pcreate(H5P_LINK_CREATE);
  hid_t own   = properties == H5P_DEFAULT ? H5Pcreate(H5P_DATASET_CREATE) : H5Pcopy(properties);
  hid_t set   = H5I_INVALID_HID;
  if (H5Pset_create_intermediate_group(links, 1) >= 0 && H5Pset_obj_track_times(own, 0) >= 0)
    set = H5Dcreate2(h5->id, name, type, space, links, own, H5P_DEFAULT);
  ee_h5_release(own);
  ee_h5_release(links);
  return set;
}

/* Called when a name leads to another file: refuse. */
static herr_t refuse_other_file(const char *parent, const char *group, const char *child,
                                const char *object, unsigned *flags, hid_t access, void *context) {
  (void)parent, (void)group, (void)child, (void)object, (void)flags, (void)access, (void)context;
  return -1;
}

static hid_t open_in_this_file(const ee_h5 *h5, const char *name) {
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  hid_t set    = H5I_INVALID_HID;
  if (H5Pset_elink_cb(access, refuse_other_file, NULL) >= 0) set = H5Dopen2(h5->id, name, access);
  ee_h5_release(access);
  return set;
}

bool ee_h5_has_member(const ee_h5 *h5, const char *name, const char *member) {
  hid_t set  = open_in_this_file(h5, name);
  hid_t type = H5Dget_type(set);
  bool  has  = H5Tget_class(type) == H5T_COMPOUND && H5Tget_member_index(type, member) >= 0;
  ee_h5_release(type);
  ee_h5_release(set);
  return has;
}

static bool type_fits(hid_t set, hid_t expected) {
  hid_t type = H5Dget_type(set);
  bool  fits = expected >= 0 ? H5Tequal(type, expected) > 0
                             : H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
  ee_h5_release(type);
  return fits;
}

/* Whether the elements stand in this file as they are. */
static bool stored_plainly(hid_t set) {
  hid_t        properties = H5Dget_create_plist(set);
  H5D_layout_t layout     = H5Pget_layout(properties);
  bool plain = (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) &&
               H5Pget_nfilters(properties) == 0 &&
               (layout != H5D_CONTIGUOUS || H5Pget_external_count(properties) == 0);
  ee_h5_release(properties);
  return plain;
}

static int dimensions(hid_t set, int rank, hsize_t *dim) {
  hid_t space  = H5Dget_space(set);
  int   actual = H5Sget_simple_extent_ndims(space);
  if (H5Sget_simple_extent_type(space) == H5S_NULL) actual = -1;
  if (actual == rank) H5Sget_simple_extent_dims(space, dim, NULL);
  ee_h5_release(space);
  return actual;
}

/* Whether the file has bytes enough for all elements. */
static bool elements_are_there(const ee_h5 *h5, hid_t set, int rank, const hsize_t *dim) {
  hid_t    type = H5Dget_type(set);
  uint64_t need = H5Tget_size(type);
  hsize_t  size = 0;
  ee_h5_release(type);
  for (int i = 0; i < rank; i++) {
    if (dim[i] == 0) return true;  // checked below are only arrays that have elements
  }
  for (int i = 0; i < rank; i++) {
    if (__builtin_mul_overflow(need, (uint64_t)dim[i], &need)) return false;
  }
  return H5Fget_filesize(h5->id, &size) >= 0 && need <= size && need <= H5Dget_storage_size(set);
}

static ee_status check_dataset(const ee_h5 *h5, const char *name, hid_t type, int rank,
                               hsize_t *dim, hid_t set) {
  if (!type_fits(set, type))
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s is not of the type that docs/formats.md says", h5->path,
                   name);
  int actual = dimensions(set, rank, dim);
  if (actual != rank)
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %d dimensions, expected %d", h5->path, name, actual,
                   rank);
  if (!stored_plainly(set))
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s is filtered or stored elsewhere", h5->path, name);
  if (!elements_are_there(h5, set, rank, dim))
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s claims more elements than the file holds", h5->path,
                   name);
  return EE_OK;
}

ee_status ee_h5_open_dataset(const ee_h5 *h5, const char *name, hid_t type, int rank, hsize_t *dim,
                             hid_t *set) {
  *set = open_in_this_file(h5, name);
  if (*set < 0) return EE_FAIL(EE_ERR_FORMAT, "%s: there is no dataset %s", h5->path, name);
  ee_status status = check_dataset(h5, name, type, rank, dim, *set);
  if (status != EE_OK) {
    ee_h5_release(*set);
    *set = H5I_INVALID_HID;
  }
  return status;
}

static ee_status write_attribute(const ee_h5 *h5, const char *object, const char *name,
                                 hid_t file_type, hid_t memory_type, const void *value) {
  hid_t     space = H5Screate(H5S_SCALAR);
  hid_t     id = H5Acreate_by_name(h5->id, object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT,
                                   H5P_DEFAULT);
  ee_status status = EE_OK;
  if (H5Awrite(id, memory_type, value) < 0)
    status = ee_h5_fail(h5, EE_ERR_FILE, "write attribute", name);
  ee_h5_release(id);
  ee_h5_release(space);
  return status;
}

ee_status ee_h5_write_text_attribute(const ee_h5 *h5, const char *object, const char *name,
                                     const char *text) {
  hid_t     type   = ee_h5_text_type(strlen(text) + 1);
  ee_status status = write_attribute(h5, object, name, type, type, text);
  ee_h5_release(type);
  return status;
}

ee_status ee_h5_write_int_attribute(const ee_h5 *h5, const char *object, const char *name,
                                    int64_t value) {
  return write_attribute(h5, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

bool ee_h5_has_attribute(const ee_h5 *h5, const char *object, const char *name) {
  return H5Aexists_by_name(h5->id, object, name, H5P_DEFAULT) > 0;
}

static bool read_text(hid_t id, hid_t type, char *text, size_t size) {
  size_t bytes = H5Tget_size(type);
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) return false;
  if (bytes == 0 || bytes > size || H5Aget_storage_size(id) != bytes) return false;
  if (H5Aread(id, type, text) < 0) return false;
  text[bytes - 1] = '\0';
  return true;
}

ee_status ee_h5_read_text_attribute(const ee_h5 *h5, const char *object, const char *name,
                                    char *text, size_t size) {
  hid_t id   = H5Aopen_by_name(h5->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(id);
  bool  read = id >= 0 && read_text(id, type, text, size);
  ee_h5_release(type);
  ee_h5_release(id);
  if (read) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: attribute %s of %s is missing or no text of up to %zu bytes",
                 h5->path, name, object, size - 1);
}

ee_status ee_h5_read_int_attribute(const ee_h5 *h5, const char *object, const char *name,
                                   int64_t low, int64_t high, int64_t *value) {
  hid_t id   = H5Aopen_by_name(h5->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(id);
  bool  read = H5Tequal(type, H5T_STD_I64LE) > 0 && H5Aget_storage_size(id) == sizeof *value &&
              H5Aread(id, H5T_NATIVE_INT64, value) >= 0;
  ee_h5_release(type);
  ee_h5_release(id);
  if (!read)
    return EE_FAIL(EE_ERR_FORMAT, "%s: integer attribute %s of %s is missing", h5->path, name,
                   object);
  if (*value < low || *value > high)
    return EE_FAIL(EE_ERR_FORMAT, "%s: attribute %s of %s is %lld, not in [%lld, %lld]", h5->path,
                   name, object, (long long)*value, (long long)low, (long long)high);
  return EE_OK;
}
