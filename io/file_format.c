/* SPDX-License-Identifier: Apache-2.0 */
/* Which of our formats a file has. */
#include "ee/file_format.h"

#include <string.h>
#include <unistd.h>

#include "h5_seal.h"
#include "regular_file.h"

ee_status ee_file_format(const char *path, char *format, size_t size) {
  ee_h5 h5;
  EE_TRY(ee_h5_open_sealed(path, NULL, &h5));
  ee_status status = ee_h5_read_text_attribute(&h5, "/", "format", format, size);
  ee_h5_close(&h5);
  return status;
}

bool ee_file_is_unsealed(const char *path) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char              begin[sizeof signature];
  int                        fd;
  if (ee_regular_file_open(path, &fd) != EE_OK) return false;
  ssize_t n = read(fd, begin, sizeof begin);
  close(fd);
  return n == (ssize_t)sizeof begin && memcmp(begin, signature, sizeof begin) == 0;
}
