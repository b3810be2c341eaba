/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when enough exits in a row agree with the one before them: PABEE (Zhou et al., 2020).  A
 * counter goes up by one if the prediction is that of the exit before, else back to 0; the sample
 * leaves when it reaches the patience. */
#include <stdlib.h>
#include <string.h>

#include "policy_arguments.h"
#include "policy_keys.h"

typedef struct patience_state {
  int32_t before;  // prediction of the exit before
  int32_t agreed;  // exits in a row that agreed with the one before
} patience_state;

static ee_status create(const char *arguments, const ee_policy_setting *setting, void **self) {
  static const char *const known[]  = {"value", NULL};
  int                      patience = 1;
  (void)setting;
  EE_TRY(ee_arguments_check("patience", arguments, known));
  EE_TRY(ee_key_integer("patience", arguments, "value", 1, 1 << 20, &patience));
  int *p = malloc(sizeof *p);
  if (p == NULL) return EE_FAIL(EE_ERR_NOMEM, "for policy patience");
  *p    = patience;
  *self = p;
  return EE_OK;
}

static ee_decision decide(const void *self, const ee_exit_view *view, void *state) {
  patience_state s;
  memcpy(&s, state, sizeof s);
  s.agreed = view->exit > 0 && view->prediction == s.before ? s.agreed + 1 : 0;
  s.before = view->prediction;
  memcpy(state, &s, sizeof s);
  return s.agreed >= *(const int *)self ? EE_LEAVE : EE_GO_ON;
}

const ee_policy_ops ee_policy_patience = {
    .name = "patience",
    .help =
        "leave when N exits in a row agree with the one before them\n"
        "value=N        default 1",
    .state_bytes = sizeof(patience_state),
    .create      = create,
    .decide      = decide,
    .destroy     = free,
};
