/* SPDX-License-Identifier: Apache-2.0 */
/* Writing arrays of results. */
#include "ee/result_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"
#include "result_format.h"

struct ee_result_file {
  ee_h5 h5;
};

static ee_status start(const char *path, const char *exits, const char *policy, const char *sweep,
                       ee_result_file *f) {
  EE_TRY(ee_h5_create_sealed(path, EE_RESULT_FORMAT, &f->h5));
  EE_TRY(ee_h5_write_text(&f->h5, EE_RESULT_EXITS, exits));
  EE_TRY(ee_h5_write_text(&f->h5, EE_RESULT_POLICY, policy));
  return ee_h5_write_text(&f->h5, EE_RESULT_SWEEP, sweep);
}

ee_status ee_result_create(const char *path, const char *exits, const char *policy,
                           const char *sweep, ee_result_file **file) {
  *file = calloc(1, sizeof **file);
  if (*file == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", path);
  ee_status status = start(path, exits, policy, sweep, *file);
  if (status != EE_OK) ee_result_finish(file, 0);
  return status;
}

ee_status ee_result_add(ee_result_file *file, const char *name, int n, int m, const double *x) {
  char    absolute[128];
  hsize_t dim[2] = {(hsize_t)n, (hsize_t)m};
  snprintf(absolute, sizeof absolute, "/%s", name);
  return ee_h5_write_array(&file->h5, absolute, EE_H5_F64, m > 0 ? 2 : 1, dim, x);
}

ee_status ee_result_finish(ee_result_file **file, int keep) {
  ee_result_file *f = *file;
  if (f == NULL) return EE_OK;
  ee_status status = keep ? ee_h5_commit(&f->h5) : EE_OK;
  ee_h5_discard(&f->h5);  // nothing is left to discard once it was kept
  free(f);
  *file = NULL;
  return status;
}
