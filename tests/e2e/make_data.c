/* SPDX-License-Identifier: Apache-2.0 */
/* make_data OUT.h5 CHANNELS HEIGHT WIDTH SAMPLES LABEL: saves random samples without class names
 * whose last one has this label and whose others have 0, so that labels may be out of range. */
#include <stdio.h>
#include <stdlib.h>

#include "ee/data_file.h"
#include "ee/rng.h"

static ee_status append_samples(ee_data_writer *writer, int64_t n, int64_t elements,
                                int32_t last_label) {
  float *sample = malloc((size_t)elements * sizeof *sample);
  if (sample == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a sample");
  ee_status status = EE_OK;
  for (int64_t i = 0; i < n && status == EE_OK; i++) {
    int32_t label = i == n - 1 ? last_label : 0;
    ee_rng  rng   = ee_rng_at(7, (uint64_t)i);
    for (int64_t k = 0; k < elements; k++) sample[k] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
    status = ee_data_append(writer, 1, sample, &label, NULL);
  }
  free(sample);
  return status;
}

static ee_status make(const char *path, const int64_t dim[3], int64_t n, int32_t last_label) {
  ee_data_writer *writer = NULL;
  ee_data_info    info   = {.type = EE_DATA_F32, .dim = {dim[0], dim[1], dim[2]}, .labelled = true};
  const char     *no_names[] = {NULL};
  EE_TRY(ee_data_create(path, &info, no_names, &writer));
  ee_status status = append_samples(writer, n, dim[0] * dim[1] * dim[2], last_label);
  ee_status closed = ee_data_finish(&writer, status == EE_OK);
  return status != EE_OK ? status : closed;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: make_data OUT.h5 CHANNELS HEIGHT WIDTH SAMPLES LABEL\n");
    return 2;
  }
  int64_t   dim[3] = {atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
  ee_status status = make(argv[1], dim, atoi(argv[5]), atoi(argv[6]));
  if (status != EE_OK) fprintf(stderr, "make_data: %s\n", ee_status_message());
  return status != EE_OK;
}
