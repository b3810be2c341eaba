/* SPDX-License-Identifier: Apache-2.0 */
/* Plans a chain that can be planned by hand, and asks a policy; exit code 0 if both are right. */
#include <stdio.h>
#include <string.h>

#include "ee/partition.h"
#include "ee/policy.h"

/* Four layers of 1, 1, 2 and 2 FLOP on devices of 1 and 2 FLOP/s, links free: the halves take
 * (1 + 1) / 1 and (2 + 2) / 2, both 2 s, and every other cut has a longer part. */
static int plan_is_right(void) {
  static const double work[] = {1, 1, 2, 2}, reach[] = {1, 1, 1, 1}, cut_bytes[] = {4, 4, 4, 4, 4},
                      head_work[] = {0}, speed[] = {1, 2};
  static const int attach[] = {3};
  const ee_chain   chain    = {.n_layers        = 4,
                               .n_devices       = 2,
                               .n_exits         = 1,
                               .work            = work,
                               .reach           = reach,
                               .head_work       = head_work,
                               .attach          = attach,
                               .cut_bytes       = cut_bytes,
                               .speed           = speed,
                               .message_samples = 1,
                               .slots           = 1,
                               .source          = -1};
  char             text[64] = "none";
  ee_forecast      forecast = {0};
  ee_plan         *plan     = NULL;
  ee_status        status   = ee_partition_exact(&chain, &plan);
  if (status == EE_OK) status = ee_partition_forecast(&chain, plan, &forecast);
  if (status == EE_OK) ee_plan_text(plan, text, sizeof text);
  printf("plan %s, period %g s %s\n", text, forecast.period, ee_status_message());
  ee_plan_destroy(&plan);
  return strcmp(text, "0-1 @0 | 2-3 @1") == 0 && forecast.period == 2.0;
}

static int policy_is_right(void) {
  const ee_policy_setting setting                      = {.n_exits = 2, .n_classes = 2, .seed = 1};
  static const float      sure[]                       = {0.1f, 0.9f};
  static const float      unsure[]                     = {0.4f, 0.6f};
  unsigned char           state[EE_POLICY_STATE_BYTES] = {0};
  ee_policy              *policy                       = NULL;
  if (ee_policy_create("threshold:value=0.75", &setting, &policy) != EE_OK) {
    printf("%s\n", ee_status_message());
    return 0;
  }
  ee_exit_view view = {.n_exits = 2, .n_classes = 2, .prediction = 1};
  view.probability  = sure;
  view.confidence   = sure[1];
  int leaves        = policy->ops->decide(policy->self, &view, state) == EE_LEAVE;
  view.probability  = unsure;
  view.confidence   = unsure[1];
  int goes_on       = policy->ops->decide(policy->self, &view, state) == EE_GO_ON;
  printf("policy: sure %s, unsure %s\n", leaves ? "leaves" : "stays", goes_on ? "stays" : "leaves");
  ee_policy_destroy(&policy);
  return leaves && goes_on;
}

int main(void) {
  int plan = plan_is_right(), policy = policy_is_right();
  return plan && policy ? 0 : 1;
}
