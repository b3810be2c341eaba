/* SPDX-License-Identifier: Apache-2.0 */
/* set_method MODEL.h5 OUT.h5 METHOD [CPU]: saves the model with every node that METHOD fits tuned
 * to it, on this processor or on one of that name. */
#include <stdio.h>
#include <stdlib.h>

#include "ee/model_file.h"
#include "ee/tuning.h"

int main(int argc, char **argv) {
  ee_model *m = NULL;
  if (argc < 4 || ee_model_load(argv[1], &m) != EE_OK) {
    fprintf(stderr, "set_method: %s\n", argc < 4 ? "too few arguments" : ee_status_message());
    return EXIT_FAILURE;
  }
  ee_method method = ee_method_by_name(argv[3]);
  ee_tuning_begin(m, 1);
  if (argc > 4) snprintf(m->tuning.cpu, sizeof m->tuning.cpu, "%s", argv[4]);
  for (int k = 0; k < m->n_nodes && method < EE_METHOD_COUNT; k++) {
    if (ee_method_fits(m, &m->node[k], method)) m->node[k].method = method;
  }
  ee_status status = ee_model_save(m, argv[2]);
  if (status != EE_OK) fprintf(stderr, "set_method: %s\n", ee_status_message());
  ee_model_destroy(&m);
  return status == EE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
