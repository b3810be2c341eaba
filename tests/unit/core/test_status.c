/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of faults: recorded, passed on, and whole also where memory is short. */
#include "ee/status.h"

#include <string.h>

#include "ee_test.h"

static void the_last_sentence_is_kept(void) {
  CU_ASSERT_EQUAL(EE_FAIL(EE_ERR_ARG, "n is %d", 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(EE_FAIL(EE_ERR_FILE, "n is %d of %s", 2, "all"), EE_ERR_FILE);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "n is 2 of all");
}

static void what_memory_was_wanted_for_becomes_a_sentence(void) {
  CU_ASSERT_EQUAL(EE_FAIL(EE_ERR_NOMEM, "for %d exits", 4), EE_ERR_NOMEM);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "out of memory for 4 exits");
  CU_ASSERT_EQUAL(EE_FAIL(EE_ERR_NOMEM, "to replay %d samples", 872), EE_ERR_NOMEM);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "out of memory to replay 872 samples");
  CU_ASSERT_EQUAL(EE_FAIL(EE_ERR_ARG, "for %d exits", 4), EE_ERR_ARG);
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "for 4 exits");
}

static void a_sentence_that_is_passed_on_is_not_opened_twice(void) {
  EE_FAIL(EE_ERR_NOMEM, "for %d exits", 4);
  EE_FAIL(EE_ERR_NOMEM, "rank 3: %s", ee_status_message());
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "rank 3: out of memory for 4 exits");
  EE_FAIL(EE_ERR_NOMEM, "%s", ee_status_message());
  CU_ASSERT_STRING_EQUAL(ee_status_message(), "rank 3: out of memory for 4 exits");
}

static void a_long_sentence_is_cut_short(void) {
  char text[2 * EE_MESSAGE_BYTES];
  memset(text, 'x', sizeof text - 1);
  memcpy(text, "for ", 4);
  text[sizeof text - 1] = '\0';
  EE_FAIL(EE_ERR_NOMEM, "%s", text);
  CU_ASSERT(strlen(ee_status_message()) < EE_MESSAGE_BYTES);
  CU_ASSERT_EQUAL(strncmp(ee_status_message(), "out of memory for xxx", 21), 0);
}

const ee_fact ee_facts[] = {EE_FACT(the_last_sentence_is_kept),
                            EE_FACT(what_memory_was_wanted_for_becomes_a_sentence),
                            EE_FACT(a_sentence_that_is_passed_on_is_not_opened_twice),
                            EE_FACT(a_long_sentence_is_cut_short),
                            {NULL, NULL}};
