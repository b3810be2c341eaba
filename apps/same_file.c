/* SPDX-License-Identifier: Apache-2.0 */
#include "same_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "output_path.h"

static bool are_same(const char *one, const char *other) {
  struct stat a, b;
  if (one == NULL || other == NULL || stat(one, &a) != 0 || stat(other, &b) != 0) return false;
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The name behind the last slash. */
static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* Files that do not exist yet are the same if name and folder are. */
static bool will_be_same(const char *one, const char *other) {
  char a[EE_FOLDER_BYTES], b[EE_FOLDER_BYTES];
  return strcmp(base_name(one), base_name(other)) == 0 &&
         are_same(ee_folder_of(one, a), ee_folder_of(other, b));
}

ee_status ee_refuse_same_file(const char *in, const char *out) {
  if (!are_same(in, out)) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE,
                 "%s would be written over while it is read; give another path than %s", in, out);
}

ee_status ee_refuse_same_output(const char *one, const char *other) {
  if (one == NULL || other == NULL) return EE_OK;
  if (!are_same(one, other) && !will_be_same(one, other)) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "two results would be written to %s; give another path than %s", one,
                 other);
}
