/* SPDX-License-Identifier: Apache-2.0 */
/* Opens regular files and nothing else. */
#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ee_status check_kind(int fd, const char *path) {
  struct stat info;
  if (fstat(fd, &info) != 0) {
    return EE_FAIL(EE_ERR_FILE, "%s cannot be read: %s", path, strerror(errno));
  }
  if (S_ISREG(info.st_mode)) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "%s is not a regular file", path);
}

ee_status ee_regular_file_open(const char *path, int *fd) {
  // Without O_NONBLOCK a pipe would be waited for right here; reading a file is the same with it.
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (*fd < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be opened: %s", path, strerror(errno));
  ee_status status = check_kind(*fd, path);
  if (status == EE_OK) return EE_OK;
  close(*fd);
  *fd = -1;
  return status;
}
