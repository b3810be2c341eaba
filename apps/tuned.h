/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"
#include "ee/options.h"

/**
 * @file tuned.h
 * The option --tuned of all commands that compute, what the environment says without it, and what
 * becomes of it.
 */
extern const ee_option ee_tuned_option;

/** Set whether measured methods count in this process: the option wins over the environment's
 *  EE_TUNED; they do if neither is there.  @return EE_OK; EE_ERR_USAGE if one of them is neither on
 *  nor off */
ee_status ee_choose_tuned(void);

/** They count, whatever the environment says. */
void ee_insist_on_tuned(void);

/** Say, once in a process, that a tuned model will not run as it was tuned, unless that is what was
 *  asked for. */
void ee_say_tuned(const ee_model *model, const ee_backend *backend);

/** "here", "off", ...: what the model's methods are to this process. */
const char *ee_tuned_text(const ee_model *model);
