/* SPDX-License-Identifier: Apache-2.0 */
/* From a bare graph to a model that can be cut: the order of the steps. */
#include "ee/model.h"
#include "graph.h"

ee_status ee_model_finish(ee_model *model) {
  EE_TRY(ee_graph_check(model));
  EE_TRY(ee_graph_layers(model));
  EE_TRY(ee_graph_cuts(model, NULL));
  return ee_graph_costs(model);
}
