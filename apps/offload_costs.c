/* SPDX-License-Identifier: Apache-2.0 */
#include "offload_costs.h"

#include <stdlib.h>
#include <string.h>

#include "ee/offload_costs_file.h"

#define COST_MAX 8.0  // as policies take it

ee_status ee_offload_costs_read(const char *text, bool live, ee_offload_costs *costs) {
  costs->changes = (ee_schedule){0};
  costs->link    = live && text != NULL && strcmp(text, "link") == 0;
  if (text == NULL || costs->link) return EE_OK;

  char  *end;
  double x = strtod(text, &end);
  if (end == text || *end != '\0') return ee_offload_costs_load(text, &costs->changes);
  if (!(x >= 0.0 && x <= COST_MAX)) {
    return EE_FAIL(EE_ERR_USAGE, "--offload-cost is %s; expected 0 to %g", text, COST_MAX);
  }
  costs->constant = x;
  return EE_OK;
}

void ee_offload_costs_free(ee_offload_costs *costs) {
  free(costs->changes.change);
  costs->changes = (ee_schedule){0};
}
