/* SPDX-License-Identifier: Apache-2.0 */
/* The list of policies, and making one from the command line's text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/policy.h"

/* Every policy: X(name) stands for ee_policy_<name> in policy_<name>.c. */
#define EE_POLICY_LIST(X) \
  X(threshold)            \
  X(entropy)              \
  X(margin)               \
  X(final)                \
  X(patience)             \
  X(beem)                 \
  X(budgeted)             \
  X(splitee)              \
  X(splitee_s)            \
  X(isplitee)             \
  X(uee_ucb)              \
  X(adaee)                \
  X(ucbee)                \
  X(ceebert)              \
  X(eenet)                \
  X(offload)              \
  X(feature)              \
  X(kl)                   \
  X(l2)                   \
  X(cosine)

#define X(name) extern const ee_policy_ops ee_policy_##name;
EE_POLICY_LIST(X)
#undef X

static const ee_policy_ops *const table[] = {
#define X(name) &ee_policy_##name,
    EE_POLICY_LIST(X)
#undef X
        NULL};

const ee_policy_ops *const *ee_policies(void) {
  return table;
}

const ee_policy_ops *ee_policy_named(const char *text) {
  size_t length = strcspn(text, ":");
  for (const ee_policy_ops *const *ops = table; *ops != NULL; ops++) {
    if (strlen((*ops)->name) == length && memcmp((*ops)->name, text, length) == 0) return *ops;
  }
  return NULL;
}

static ee_status unknown_policy(const char *text, size_t length) {
  char   names[256] = "";
  size_t used       = 0;
  for (const ee_policy_ops *const *ops = table; *ops != NULL && used < sizeof names; ops++) {
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                             (*ops)->name);
  }
  return EE_FAIL(EE_ERR_USAGE, "there is no policy '%.*s'; there are: %s",
                 (int)(length < 64 ? length : 64), text, names);
}

unsigned ee_exit_table_lacks(const ee_exit_table *exits) {
  return (exits->confidence == NULL ? EE_NEEDS_CONFIDENCE : 0u) |
         (exits->probability == NULL ? EE_NEEDS_PROBABILITY : 0u) |
         (exits->score == NULL ? EE_NEEDS_SCORE : 0u);
}

static ee_status check_setting(const ee_policy_ops *ops, const ee_policy_setting *setting) {
  unsigned missing = ops->needs & setting->lacks;
  if (setting->n_exits < 1 || setting->n_classes < 1) {
    return EE_FAIL(EE_ERR_ARG, "policy %s for %d exits and %d classes, expected at least one each",
                   ops->name, setting->n_exits, setting->n_classes);
  }
  if (missing == 0) return EE_OK;
  if (missing & EE_NEEDS_SCORE) {
    return EE_FAIL(EE_ERR_ARG,
                   "policy %s needs learned scores, and no exit has one: neither the model nor the "
                   "table was made with them",
                   ops->name);
  }
  return EE_FAIL(EE_ERR_ARG, "policy %s needs the %s of every exit, which the table does not have",
                 ops->name, missing & EE_NEEDS_CONFIDENCE ? "confidence" : "probabilities");
}

/* FNV-1a of some bytes. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t n) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

static uint64_t key_of(const char *text, const ee_policy_setting *setting) {
  const ee_policy_costs *costs = setting->costs;
  uint64_t               hash  = mix(0xcbf29ce484222325u, text, strlen(text));
  hash                         = mix(hash, &setting->seed, sizeof setting->seed);
  if (costs == NULL) return hash;
  hash = mix(hash, &costs->layer, sizeof costs->layer);
  return mix(hash, &costs->offload, sizeof costs->offload);
}

ee_status ee_policy_create(const char *text, const ee_policy_setting *setting, ee_policy **policy) {
  size_t               length    = strcspn(text, ":");
  const char          *arguments = text[length] == ':' ? text + length + 1 : text + length;
  const ee_policy_ops *ops       = ee_policy_named(text);

  *policy = NULL;
  if (ops == NULL) return unknown_policy(text, length);
  EE_TRY(check_setting(ops, setting));
  ee_policy *p = calloc(1, sizeof *p);
  if (p == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy %s", ops->name);
  p->ops           = ops;
  p->key           = key_of(text, setting);
  ee_status status = ops->create(arguments, setting, &p->self);
  if (status != EE_OK) {
    free(p);
    return status;
  }
  *policy = p;
  return EE_OK;
}

bool ee_policy_feasible(const ee_policy *policy) {
  return policy->ops->feasible == NULL || policy->ops->feasible(policy->self);
}

void ee_policy_destroy(ee_policy **policy) {
  if (*policy == NULL) return;
  (*policy)->ops->destroy((*policy)->self);
  free(*policy);
  *policy = NULL;
}
