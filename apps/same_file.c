/* SPDX-License-Identifier: Apache-2.0 */
#include "same_file.h"

#include <stddef.h>
#include <sys/stat.h>

ee_status ee_refuse_same_file(const char *in, const char *out) {
  struct stat a, b;
  if (in == NULL || out == NULL || stat(in, &a) != 0 || stat(out, &b) != 0) return EE_OK;
  if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE,
                 "%s would be written over while it is read; give another path than %s", in, out);
}
