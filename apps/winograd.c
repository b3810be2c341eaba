/* SPDX-License-Identifier: Apache-2.0 */
/* The switch of Winograd convolutions on the command line. */
#include "winograd.h"

#include <stdlib.h>
#include <string.h>

#include "ee/winograd.h"

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
  const char *text = asked, *source = "--winograd";
  if (text == NULL) {
    text   = getenv("EE_WINOGRAD");
    source = "the environment's EE_WINOGRAD";
    if (text == NULL || text[0] == '\0') return EE_OK;
  }
  bool on = strcmp(text, "on") == 0;
  if (!on && strcmp(text, "off") != 0) {
    return EE_FAIL(EE_ERR_USAGE, "%s is %s; expected on or off", source, text);
  }
  ee_winograd_set(on ? EE_WINOGRAD_ON : EE_WINOGRAD_OFF);
  return EE_OK;
}
