/* SPDX-License-Identifier: Apache-2.0 */
#include "tuned.h"

#include "ee/cpu.h"
#include "ee/log.h"
#include "ee/tuning.h"
#include "switch.h"

static const char *asked;

const ee_option ee_tuned_option = {
    "tuned",
    0,
    EE_OPTION_TEXT,
    &asked,
    "on|off",
    "go the ways that 'edgeexit tune' found; default: the environment's EE_TUNED, or on",
    0,
    0};

ee_status ee_choose_tuned(void) {
  bool on = true, given;
  EE_TRY(ee_read_switch("--tuned", asked, "EE_TUNED", &on, &given));
  ee_tuning_set(on);
  return EE_OK;
}

void ee_insist_on_tuned(void) {
  asked = "on";
}

void ee_say_tuned(const ee_model *model, const ee_backend *backend) {
  static bool said  = false;
  ee_tuned    state = ee_tuning_state(model);
  if (said || backend != &ee_backend_simd) return;
  said = true;
  if (state == EE_TUNED_ELSEWHERE) {
    char text[160];
    backend->describe(text, sizeof text);
    ee_log(EE_LOG_INFO,
           "the model was tuned on %s with %s, here are %s and %s: its layers go the usual ways; "
           "'edgeexit tune' measures here",
           model->tuning.cpu, model->tuning.vectors, ee_cpu_name(), text);
  } else if (state == EE_TUNED_OTHERWISE) {
    ee_log(EE_LOG_INFO,
           "the model was tuned by another version (%d, this is %d): its layers go the usual ways",
           model->tuning.version, EE_TUNING_VERSION);
  }
}

const char *ee_tuned_text(const ee_model *model) {
  static const char *const text[] = {[EE_TUNED_NEVER]     = "never",
                                     [EE_TUNED_HERE]      = "here",
                                     [EE_TUNED_OFF]       = "off",
                                     [EE_TUNED_ELSEWHERE] = "elsewhere",
                                     [EE_TUNED_OTHERWISE] = "otherwise"};
  return text[ee_tuning_state(model)];
}
