/* SPDX-License-Identifier: Apache-2.0 */
/* Writing reliability diagrams. */
#include "ee/reliability_file.h"

#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define FORMAT "edgeexit-reliability"

static ee_status write_all(const ee_h5 *h5, const ee_reliability_data *data) {
  const hsize_t dim[] = {(hsize_t)data->n_exits, 2, (hsize_t)data->n_bins};
  EE_TRY(ee_h5_write_array(h5, "/count", EE_H5_I64, 3, dim, data->count));
  EE_TRY(ee_h5_write_array(h5, "/confidence", EE_H5_F64, 3, dim, data->confidence));
  EE_TRY(ee_h5_write_array(h5, "/accuracy", EE_H5_F64, 3, dim, data->accuracy));
  EE_TRY(ee_h5_write_array(h5, "/temperature", EE_H5_F64, 2, dim, data->temperature));
  EE_TRY(ee_h5_write_array(h5, "/ece", EE_H5_F64, 2, dim, data->ece));
  return ee_h5_write_text(h5, "/provenance", data->provenance != NULL ? data->provenance : "");
}

ee_status ee_reliability_save(const char *path, const ee_reliability_data *data) {
  ee_h5 h5;
  EE_TRY(ee_h5_create_sealed(path, FORMAT, &h5));
  ee_status status = write_all(&h5, data);
  if (status == EE_OK) status = ee_h5_commit(&h5);
  ee_h5_discard(&h5);  // nothing is left to discard once it was kept
  return status;
}
