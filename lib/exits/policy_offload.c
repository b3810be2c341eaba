/* SPDX-License-Identifier: Apache-2.0 */
/* Answer on the device what one of its exits is sure of, offload the rest, and answer these by the
 * last exit, or by the most confident one met if it is unsure, too (Pacheco, Couto and Simeone,
 * 2021 and 2023).
 *
 * offloading.h measures what this promises; both decide and answer alike. */
#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

typedef struct offload_policy {
  int   n_device;  // exits on the device
  float value;     // confidence at which an exit is sure
} offload_policy;

/* The most confident exit of the device so far, the earliest among equals. */
typedef struct offload_state {
  int32_t prediction;
  float   confidence;
} offload_state;

static ee_status read_keys(const char *text, const ee_policy_setting *setting,
                           offload_policy *policy) {
  static const char *const known[] = {"value", "exits", NULL};
  int                      early   = setting->n_exits - 1;
  double                   value;
  policy->n_device = early;
  EE_TRY(ee_arguments_check("offload", text, known));
  EE_TRY(ee_arguments_numbers("offload", text, "value", 0.0, 1.0, 1, &value));
  EE_TRY(ee_key_integer("offload", text, "exits", 1, early, &policy->n_device));
  policy->value = (float)value;
  return EE_OK;
}

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  offload_policy read;
  EE_TRY(read_keys(arguments, setting, &read));
  offload_policy *policy = malloc(sizeof *policy);
  if (policy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy offload");
  *policy = read;
  *self   = policy;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  const offload_policy *policy = self;
  offload_state         s;
  memcpy(&s, state, sizeof s);
  if (view->exit == 0 || view->confidence > s.confidence) {
    s = (offload_state){.prediction = view->prediction, .confidence = view->confidence};
    memcpy(state, &s, sizeof s);
  }
  if (view->confidence >= policy->value) return EE_LEAVE;
  return view->exit == policy->n_device - 1 ? EE_OFFLOAD : EE_GO_ON;
}

/* Who is sure answers; at the last exit so does it if no exit of the device was as confident. */
static int answer(const void *self, const ee_exit_view *view, const void *state) {
  const offload_policy *policy = self;
  offload_state         s;
  memcpy(&s, state, sizeof s);
  if (policy->n_device == 0 || view->confidence >= policy->value) return view->prediction;
  return s.confidence >= view->confidence ? s.prediction : view->prediction;
}

const ee_policy_ops ee_policy_offload = {
    .name = "offload",
    .help =
        "leave the device if one of its exits is sure, else offload; of exits that are all\n"
        "unsure the most confident answers\n"
        "value=X        confidence at which an exit is sure, in [0, 1]\n"
        "exits=N        on the device; default all but the last",
    .state_bytes = sizeof(offload_state),
    .needs       = EE_NEEDS_CONFIDENCE,
    .create      = create,
    .decide      = decide,
    .answer      = answer,
    .destroy     = free,
};
