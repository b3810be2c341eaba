/* SPDX-License-Identifier: Apache-2.0 */
#include "switch.h"

#include <stdlib.h>
#include <string.h>

ee_status ee_read_switch(const char *option, const char *text, const char *variable, bool *on,
                         bool *given) {
  bool option_given = text != NULL;
  if (!option_given) text = getenv(variable);
  *given = text != NULL && text[0] != '\0';
  if (!*given && !option_given) return EE_OK;
  *on = strcmp(text, "on") == 0;
  if (*on || strcmp(text, "off") == 0) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "%s%s is %s; expected on or off",
                 option_given ? "" : "the environment's ", option_given ? option : variable, text);
}
