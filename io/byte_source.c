/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a plain or gzip-compressed file. */
#include "byte_source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "regular_file.h"

#define BUFFER_BYTES 131072
#define LARGEST_TAKE ((size_t)1 << 30)  // what zlib takes at once is limited by an int

static ee_status refuse_xz(int fd, const char *path) {
  unsigned char begin[6];
  if (pread(fd, begin, sizeof begin, 0) == (ssize_t)sizeof begin && memcmp(begin,
                                                                           "\xfd"
                                                                           "7zXZ\0",
                                                                           sizeof begin) == 0)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "%s is packed with xz; unpack it with: xz -dk %s", path,
                   path);
  return EE_OK;
}

ee_status ee_byte_source_open(const char *path, ee_byte_source *source) {
  *source = (ee_byte_source){.path = path};
  int fd;
  EE_TRY(ee_regular_file_open(path, &fd));

  ee_status status = refuse_xz(fd, path);
  if (status == EE_OK) {
    source->file = gzdopen(fd, "rb");
    if (source->file == NULL) status = EE_FAIL(EE_ERR_NOMEM, "to read %s", path);
  }
  if (status != EE_OK) {
    close(fd);
    return status;
  }
  gzbuffer(source->file, BUFFER_BYTES);
  return EE_OK;
}

static ee_status check_end(const ee_byte_source *source) {
  int         code;
  const char *reason = gzerror(source->file, &code);
  if (code == Z_OK || code == Z_STREAM_END) return EE_OK;
  if (code == Z_BUF_ERROR)
    return EE_FAIL(EE_ERR_FORMAT, "%s is cut short: its compressed data ends after %lld bytes",
                   source->path, (long long)source->taken);
  if (code == Z_ERRNO)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", source->path, strerror(errno));
  return EE_FAIL(EE_ERR_FORMAT, "%s is damaged: %s", source->path, reason);
}

ee_status ee_byte_source_take(ee_byte_source *source, void *bytes, size_t n, size_t *got) {
  char *to = bytes;
  *got     = 0;
  while (*got < n) {
    size_t want = n - *got < LARGEST_TAKE ? n - *got : LARGEST_TAKE;
    int    part = gzread(source->file, to + *got, (unsigned)want);
    if (part <= 0) return check_end(source);
    *got += (size_t)part;
    source->taken += part;
  }
  return EE_OK;
}

void ee_byte_source_close(ee_byte_source *source) {
  if (source->file != NULL) gzclose(source->file);
  source->file = NULL;
}

const char *ee_base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}
