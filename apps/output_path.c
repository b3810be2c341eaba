/* SPDX-License-Identifier: Apache-2.0 */
#include "output_path.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *ee_folder_of(const char *path, char folder[EE_FOLDER_BYTES]) {
  const char *slash  = strrchr(path, '/');
  size_t      length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
  if (length >= EE_FOLDER_BYTES) return NULL;
  memcpy(folder, slash == NULL ? "." : path, length);
  folder[length] = '\0';
  return folder;
}

ee_status ee_check_output(const char *path) {
  struct stat info;
  char        room[EE_FOLDER_BYTES];
  if (path == NULL) return EE_OK;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
    return EE_FAIL(EE_ERR_FILE, "%s exists and is not a regular file", path);
  const char *folder = ee_folder_of(path, room);
  if (folder == NULL)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(ENAMETOOLONG));
  if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode))
    return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(ENOTDIR));
  if (access(folder, W_OK | X_OK) != 0)
    return EE_FAIL(EE_ERR_FILE, "%s cannot be written: %s", path, strerror(errno));
  return EE_OK;
}
