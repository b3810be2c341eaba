/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed HDF5 files: atomic writing, and reading only what is whole. */
#include "h5_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5_driver.h"
#include "seal.h"

#define FORMAT_VERSION 1
#define CREATED_BY "edgeexit " EE_VERSION

/* PATH.tmp-PID, malloc()ed; NULL without memory. */
static char *temporary_path(const char *path) {
  size_t size = strlen(path) + 32;
  char  *tmp  = malloc(size);
  if (tmp != NULL) snprintf(tmp, size, "%s.tmp-%ld", path, (long)getpid());
  return tmp;
}

/* Whether @p path can be replaced and @p tmp be made; HDF5 would not say why not. */
static ee_status check_writable(const char *path, const char *tmp) {
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return EE_FAIL(EE_ERR_FILE, "%s exists and is not a regular file", path);
  int fd = open(tmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(errno));
  close(fd);
  return EE_OK;
}

static ee_status create_file(const char *tmp, ee_h5 *h5) {
  ee_h5_quiet();
  ee_status status = EE_OK;
  hid_t     create = H5Pcreate(H5P_FILE_CREATE);
  hid_t     access = H5Pcreate(H5P_FILE_ACCESS);
  if (H5Pset_userblock(create, EE_SEAL_BYTES) >= 0 &&
      ee_h5_set_driver(access, h5->write_error) >= 0)
    h5->id = H5Fcreate(tmp, H5F_ACC_TRUNC, create, access);
  if (h5->id < 0) status = ee_h5_fail(h5, EE_ERR_FILE, "create", "the file");
  ee_h5_release(access);
  ee_h5_release(create);
  return status;
}

static ee_status write_root(const ee_h5 *h5, const char *format) {
  EE_TRY(ee_h5_write_text_attribute(h5, "/", "format", format));
  EE_TRY(ee_h5_write_int_attribute(h5, "/", "format_version", FORMAT_VERSION));
  return ee_h5_write_text_attribute(h5, "/", "created_by", CREATED_BY);
}

ee_status ee_h5_create_sealed(const char *path, const char *format, ee_h5 *h5) {
  char *tmp       = temporary_path(path);
  *h5             = (ee_h5){.id = H5I_INVALID_HID, .path = strdup(path)};
  h5->write_error = calloc(1, sizeof *h5->write_error);

  ee_status status = EE_OK;
  if (tmp == NULL || h5->path == NULL || h5->write_error == NULL)
    status = EE_FAIL(EE_ERR_NOMEM, "to write %s", path);
  if (status == EE_OK) status = check_writable(path, tmp);
  if (status == EE_OK) {
    status = create_file(tmp, h5);
    if (status == EE_OK) status = write_root(h5, format);
    if (status != EE_OK) ee_h5_discard(h5);
  }
  if (status != EE_OK) ee_h5_close(h5);
  free(tmp);
  return status;
}

/* Make the new name last; a file system that cannot do it for folders is left alone. */
static void sync_folder(const char *path) {
  char *copy = strdup(path);
  int   fd   = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  free(copy);
}

static ee_status seal_and_move(ee_h5 *h5, const char *tmp) {
  if (H5Fflush(h5->id, H5F_SCOPE_GLOBAL) < 0)
    return ee_h5_fail(h5, EE_ERR_FILE, "write", "the file");
  int closed = ee_h5_release(h5->id);
  h5->id     = H5I_INVALID_HID;
  if (closed < 0) return ee_h5_fail(h5, EE_ERR_FILE, "close", "the file");
  EE_TRY(ee_h5_check_written(h5));
  EE_TRY(ee_seal_stamp(tmp, h5->path));
  if (rename(tmp, h5->path) != 0)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be put in place: %s", h5->path, strerror(errno));
  sync_folder(h5->path);
  return EE_OK;
}

ee_status ee_h5_commit(ee_h5 *h5) {
  char     *tmp = temporary_path(h5->path);
  ee_status status =
      tmp != NULL ? seal_and_move(h5, tmp) : EE_FAIL(EE_ERR_NOMEM, "to put %s in place", h5->path);
  free(tmp);
  if (status != EE_OK) ee_h5_discard(h5);
  ee_h5_close(h5);
  return status;
}

void ee_h5_discard(ee_h5 *h5) {
  char *tmp = h5->path == NULL ? NULL : temporary_path(h5->path);
  ee_h5_close(h5);
  if (tmp != NULL) unlink(tmp);
  free(tmp);
}

/* Open without locks, which some cluster file systems refuse: a sealed file never changes. */
static hid_t open_file(const char *path) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERS_MINOR == 10 && H5_VERS_RELEASE >= 7)
  H5Pset_file_locking(access, 0, 1);
#endif
  hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
  ee_h5_release(access);
  return file;
}

static ee_status check_root(const ee_h5 *h5, const char *format) {
  char    actual[64];
  int64_t version;
  if (format == NULL) return EE_OK;
  EE_TRY(ee_h5_read_text_attribute(h5, "/", "format", actual, sizeof actual));
  if (strcmp(actual, format) != 0)
    return EE_FAIL(EE_ERR_FORMAT, "%s holds %s, expected %s", h5->path, actual, format);
  EE_TRY(ee_h5_read_int_attribute(h5, "/", "format_version", 1, INT64_MAX, &version));
  if (version != FORMAT_VERSION)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s is version %lld of %s, this program reads version %d",
                   h5->path, (long long)version, format, FORMAT_VERSION);
  return EE_OK;
}

ee_status ee_h5_open_sealed(const char *path, const char *format, ee_h5 *h5) {
  *h5 = (ee_h5){.id = H5I_INVALID_HID};
  EE_TRY(ee_seal_check(path));

  ee_h5_quiet();
  h5->path = strdup(path);
  if (h5->path == NULL) return EE_FAIL(EE_ERR_NOMEM, "to open %s", path);
  h5->id = open_file(path);

  ee_status status =
      h5->id >= 0 ? check_root(h5, format) : ee_h5_fail(h5, EE_ERR_FORMAT, "open", "the HDF5 part");
  if (status != EE_OK) ee_h5_close(h5);
  return status;
}
