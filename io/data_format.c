/* SPDX-License-Identifier: Apache-2.0 */
/* What writer and reader of data files agree on. */
#include "data_format.h"

#include <stdio.h>
#include <string.h>

bool ee_data_attribute_set(const char *name, char *set) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  size_t            length    = strlen(name);
  if (length == 0 || length >= EE_DATA_MAX_NAME || name[0] == '.') return false;
  if (strspn(name, allowed) != length) return false;
  snprintf(set, EE_DATA_SET_BYTES, "%s%s", EE_DATA_ATTRIBUTES, name);
  return true;
}

ee_status ee_data_check_labels(ee_status status, const char *path, int n_classes, int64_t first,
                               int64_t n, const int32_t *label) {
  for (int64_t i = 0; i < n; i++) {
    if (label[i] >= -1 && (n_classes == 0 || label[i] < n_classes)) continue;
    if (n_classes == 0)
      return EE_FAIL(status, "%s: label of sample %lld is %d, less than -1", path,
                     (long long)(first + i), label[i]);
    return EE_FAIL(status, "%s: label of sample %lld is %d, outside [-1, %d]", path,
                   (long long)(first + i), label[i], n_classes - 1);
  }
  return EE_OK;
}
