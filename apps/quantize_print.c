/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what 8 bits did to a model. */
#include <math.h>
#include <stdio.h>

#include "json.h"
#include "quantize.h"

static bool is_kept(const ee_quantize *q, int k) {
  return q->quant[k].scale > 0.0F && q->model->node[k].quant.scale == 0.0F;
}

int ee_quantize_kept(const ee_quantize *q) {
  int n = 0;
  for (int k = 0; k < q->model->n_nodes; k++) n += is_kept(q, k);
  return n;
}

const char *ee_quantize_method(const ee_quantize *q, char text[64]) {
  const char *name = ee_range_method_name(q->method);
  if (q->method == EE_RANGE_PERCENTILE) {
    snprintf(text, 64, "%s %g", name, q->percentile);
  } else {
    snprintf(text, 64, "%s", name);
  }
  return text;
}

void ee_quantize_print(const ee_quantize *q) {
  char      text[64];
  const int n = ee_quantization_count(q->model), kept = ee_quantize_kept(q);
  printf("%d nodes in 8 bits, %d left in float32; ranges by %s of %lld samples\n", n, kept,
         ee_quantize_method(q, text), (long long)q->stream->n);
  for (int k = 0; k < q->model->n_nodes; k++) {
    if (is_kept(q, k)) printf("float32  %s\n", q->model->node[k].name);
  }
  for (int e = 0; e < q->model->n_exits; e++) {
    const ee_quantized_exit *x = &q->exit[e];
    printf("exit %d  %-24s  ", e, q->model->exit[e].name);
    if (!isnan(x->accuracy[0]))
      printf("accuracy %.4f, was %.4f;  ", x->accuracy[1], x->accuracy[0]);
    printf("%.4f answer the same;  error of logits %.4f\n", x->same, x->error);
  }
}

ee_status ee_quantize_print_json(const ee_quantize *q) {
  char   text[64];
  cJSON *all = cJSON_CreateObject();
  cJSON_AddNumberToObject(all, "samples", (double)q->stream->n);
  cJSON_AddStringToObject(all, "method", ee_quantize_method(q, text));
  cJSON_AddNumberToObject(all, "int8_nodes", ee_quantization_count(q->model));
  cJSON *kept = cJSON_AddArrayToObject(all, "float32_nodes");
  for (int k = 0; k < q->model->n_nodes; k++) {
    if (is_kept(q, k)) cJSON_AddItemToArray(kept, cJSON_CreateString(q->model->node[k].name));
  }
  cJSON_AddNumberToObject(all, "given_back", q->given_back);
  cJSON *exits = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < q->model->n_exits; e++) {
    cJSON *one = ee_json_item(exits);
    cJSON_AddStringToObject(one, "name", q->model->exit[e].name);
    cJSON_AddNumberToObject(one, "accuracy_float32", q->exit[e].accuracy[0]);  // null if NaN
    cJSON_AddNumberToObject(one, "accuracy_int8", q->exit[e].accuracy[1]);
    cJSON_AddNumberToObject(one, "same_answers", q->exit[e].same);
    cJSON_AddNumberToObject(one, "logits_error", q->exit[e].error);
  }
  return ee_json_print(all);
}
