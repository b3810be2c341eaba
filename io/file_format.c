/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/file_format.h"

#include "h5_seal.h"

ee_status ee_file_format(const char *path, char *format, size_t size) {
  ee_h5 h5;
  EE_TRY(ee_h5_open_sealed(path, NULL, &h5));
  ee_status status = ee_h5_read_text_attribute(&h5, "/", "format", format, size);
  ee_h5_close(&h5);
  return status;
}
