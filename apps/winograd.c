/* SPDX-License-Identifier: Apache-2.0 */
/* The switch of Winograd convolutions on the command line. */
#include "winograd.h"

#include "ee/winograd.h"
#include "switch.h"

static const char *asked;

const ee_option ee_winograd_option = {
    "winograd",
    0,
    EE_OPTION_TEXT,
    &asked,
    "on|off",
    "fast convolutions of 3 x 3; default: the environment's EE_WINOGRAD, or as the model says",
    0,
    0};

ee_status ee_choose_winograd(void) {
  bool on = true, given;
  EE_TRY(ee_read_switch("--winograd", asked, "EE_WINOGRAD", &on, &given));
  if (given) ee_winograd_set(on ? EE_WINOGRAD_ON : EE_WINOGRAD_OFF);
  return EE_OK;
}
