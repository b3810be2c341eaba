/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>

#include "ee/status.h"

/** @file json.h  Printing one JSON object, as --json does everywhere. */

/** Print @p all and a newline on stdout, and delete it.  EE_OK; EE_ERR_NOMEM. */
ee_status ee_json_print(cJSON *all);

/** Add the number @p x, or null if it is not finite. */
void ee_json_number(cJSON *to, const char *key, double x);

/** A new object at the end of @p list, owned by it. */
cJSON *ee_json_item(cJSON *list);
