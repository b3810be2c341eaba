/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX's light models: published architectures whose weights are constants made by nodes.  Element
 * i of the input of n elements is i / n, as in ONNX's own test runner. */
#include "light_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"

/* What must come of each: a match, or a refusal that names these operators. */
static const struct {
  const char *name, *missing;
} light[] = {
    {"bvlc_alexnet", "LRN"}, {"densenet121", NULL}, {"inception_v1", "LRN"},
    {"inception_v2", NULL},  {"resnet50", NULL},    {"shufflenet", NULL},
    {"squeezenet", NULL},    {"vgg19", NULL},       {"zfnet512", "LRN"},
};

static float *ramp(size_t n) {
  float *x = calloc(n, sizeof *x);
  for (size_t i = 0; x != NULL && i < n; i++) x[i] = (float)((double)i / (double)n);
  return x;
}

/* Elements of the first input that is no initializer. */
static size_t input_elements(const blob *model) {
  Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, model->n, model->bytes);
  size_t            n     = 0;
  for (size_t i = 0; proto != NULL && i < proto->graph->n_input && n == 0; i++) {
    const Onnx__ValueInfoProto *info  = proto->graph->input[i];
    bool                        given = false;
    for (size_t k = 0; k < proto->graph->n_initializer; k++)
      given |= strcmp(proto->graph->initializer[k]->name, info->name) == 0;
    if (given) continue;
    const Onnx__TensorShapeProto *shape = info->type->tensor_type->shape;
    n                                   = 1;
    for (size_t d = 0; d < shape->n_dim; d++) n *= (size_t)shape->dim[d]->dim_value;
  }
  if (proto != NULL) onnx__model_proto__free_unpacked(proto, NULL);
  return n;
}

static outcome run_light(const char *folder, const char *name, const char *backend) {
  char path[1024];
  snprintf(path, sizeof path, "%s/light_%s.onnx", folder, name);
  blob model = read_blob(path);
  snprintf(path, sizeof path, "%s/light_%s_output_0.pb", folder, name);
  blob    expected = read_blob(path);
  size_t  n        = model.bytes != NULL ? input_elements(&model) : 0;
  float  *x        = ramp(n);
  outcome out      = {.verdict = FAILED, .text = "its files cannot be read"};
  if (n > 0 && x != NULL && expected.bytes != NULL)
    out = run_model(&model, NULL, 0, x, n, &expected, TOLERANCE, backend);
  free(x);
  free(model.bytes);
  free(expected.bytes);
  return out;
}

int run_light_models(const char *folder, const char *backend) {
  int failures = 0;
  printf("\n%s: whole architectures\n", backend);
  for (size_t i = 0; i < sizeof light / sizeof light[0]; i++) {
    outcome out      = run_light(folder, light[i].name, backend);
    bool    as_known = light[i].missing == NULL
                           ? out.verdict == PASSED
                           : out.verdict == REFUSED && strstr(out.text, light[i].missing) != NULL;
    failures += !as_known;
    printf("  %-7s %-13s %s\n",
           !as_known                ? "FAILED"
           : out.verdict == REFUSED ? "listed"
                                    : "passed",
           light[i].name, out.text);
  }
  return failures;
}
