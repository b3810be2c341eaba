/* SPDX-License-Identifier: Apache-2.0 */
/* A file driver that keeps write errors to itself, because HDF5 cannot live with them. */
#include "h5_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/* What the access properties carry. */
typedef struct driver_info {
  int *error;
} driver_info;

typedef struct driver_file {
  H5FD_t  base;  // HDF5's part, first
  int     fd;
  haddr_t eoa, eof;  // ends of what is allocated and of what was written [byte]
  int    *error;
} driver_file;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)most;
  const driver_info *info = H5Pget_driver_info(access);
  driver_file       *file = calloc(1, sizeof *file);
  if (info == NULL || file == NULL) {
    free(file);
    return NULL;
  }
  int mode    = flags & H5F_ACC_TRUNC ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR;
  file->error = info->error;
  file->fd    = open(name, mode | O_CLOEXEC, 0666);
  if (file->fd >= 0) return &file->base;
  free(file);
  return NULL;
}

static void keep_error(driver_file *file, int error) {
  if (*file->error == 0) *file->error = error;
}

static herr_t driver_close(H5FD_t *base) {
  driver_file *file = (driver_file *)base;
  if (close(file->fd) != 0) keep_error(file, errno);
  free(file);
  return 0;
}

/* So that HDF5 sees when a file is opened twice. */
static int driver_compare(const H5FD_t *a, const H5FD_t *b) {
  struct stat x, y;
  if (fstat(((const driver_file *)a)->fd, &x) != 0 || fstat(((const driver_file *)b)->fd, &y) != 0)
    return a < b ? -1 : a > b;
  if (x.st_dev != y.st_dev) return x.st_dev < y.st_dev ? -1 : 1;
  return x.st_ino < y.st_ino ? -1 : x.st_ino > y.st_ino;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const driver_file *)base)->eoa;
}

static herr_t driver_set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t end) {
  (void)type;
  ((driver_file *)base)->eoa = end;
  return 0;
}

static haddr_t driver_get_eof(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const driver_file *)base)->eof;
}

/* What was never written reads as zeros. */
static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
                          void *data) {
  (void)type, (void)transfer;
  driver_file *file = (driver_file *)base;
  char        *to   = data;
  while (n > 0) {
    ssize_t got = pread(file->fd, to, n, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    to += got;
    at += (haddr_t)got;
    n -= (size_t)got;
  }
  memset(to, 0, n);
  return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t n,
                           const void *data) {
  (void)type, (void)transfer;
  driver_file *file = (driver_file *)base;
  const char  *from = data;
  if (at + n > file->eof) file->eof = at + n;
  while (n > 0 && *file->error == 0) {
    ssize_t put = pwrite(file->fd, from, n, (off_t)at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      keep_error(file, errno);
      break;
    }
    from += put;
    at += (haddr_t)put;
    n -= (size_t)put;
  }
  return 0;
}

static herr_t driver_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer, (void)closing;
  driver_file *file = (driver_file *)base;
  if (file->eoa == file->eof) return 0;
  if (*file->error == 0 && ftruncate(file->fd, (off_t)file->eoa) != 0) keep_error(file, errno);
  file->eof = file->eoa;
  return 0;
}

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value   = H5_VFD_RESERVED + 1,
#endif
    .name      = "edgeexit",
    .maxaddr   = ((haddr_t)1 << (8 * sizeof(off_t) - 1)) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(driver_info),
    .open      = driver_open,
    .close     = driver_close,
    .cmp       = driver_compare,
    .query     = driver_query,
    .get_eoa   = driver_get_eoa,
    .set_eoa   = driver_set_eoa,
    .get_eof   = driver_get_eof,
    .read      = driver_read,
    .write     = driver_write,
    .truncate  = driver_truncate,
    .fl_map    = H5FD_FLMAP_DICHOTOMY,
};

herr_t ee_h5_set_driver(hid_t access, int *error) {
  driver_info info = {.error = error};
  hid_t       id   = H5FDregister(&driver);
  herr_t      done = H5Pset_driver(access, id, &info);  // keeps its own hold of the driver
  if (id >= 0) H5FDunregister(id);
  return done;
}
