/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of options may be, whichever command they are of. */
#include "ee/options.h"

#include <string.h>

#include "ee_test.h"

static const char *text;
static bool        on;
static int         whole;
static double      number;

static const ee_option option[] = {
    {"path", 'p', EE_OPTION_TEXT, &text, "FILE", "a text", 0, 0},
    {"on", 0, EE_OPTION_SWITCH, &on, "on|off", "a switch", 0, 0},
    {"whole", 0, EE_OPTION_INT, &whole, "N", "a whole number", 1, 9},
    {"number", 0, EE_OPTION_DOUBLE, &number, "X", "a number", 0, 1},
};
static const ee_command_line line = {"try [options]", "Tries.", option, 4, 0, 0};

static ee_status parse(const char *name, const char *value) {
  static char words[3][32];
  char       *argv[4] = {words[0], words[1], words[2], NULL};
  int         n;
  bool        help;
  snprintf(words[0], sizeof words[0], "try");
  snprintf(words[1], sizeof words[1], "%s", name);
  snprintf(words[2], sizeof words[2], "%s", value);
  return ee_options_parse(&line, 3, argv, NULL, &n, &help);
}

static void right_values_are_taken(void) {
  CU_ASSERT_EQUAL(parse("-p", "model.h5"), EE_OK);
  CU_ASSERT_EQUAL(text[0], 'm');
  CU_ASSERT_EQUAL(parse("--on", "on"), EE_OK);
  CU_ASSERT_TRUE(on);
  CU_ASSERT_EQUAL(parse("--whole", "9"), EE_OK);
  CU_ASSERT_EQUAL(whole, 9);
  CU_ASSERT_EQUAL(parse("--number", "0.25"), EE_OK);
  CU_ASSERT_EQUAL(number, 0.25);
}

static void wrong_values_are_errors_of_usage_that_name_the_option(void) {
  static const char *const wrong[][3] = {
      {"--path", "", "--path is empty; expected FILE"}, {"-p", "", "--path is empty"},
      {"--on", "", "--on is ; expected on or off"},     {"--on", "ON", "expected on or off"},
      {"--whole", "10", "--whole is 10; expected"},     {"--whole", "1.5", "a whole number"},
      {"--whole", "", "a whole number from 1 to 9"},    {"--number", "nan", "--number is nan"},
      {"--number", "1e-1x", "a number from 0 to 1"},    {"--other", "1", "--other is no option"},
  };
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    CU_ASSERT_EQUAL(parse(wrong[k][0], wrong[k][1]), EE_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), wrong[k][2]));
  }
}

/* With any value, by name, by letter or shortened, wherever it stands, and again and again. */
static void an_option_is_given_if_it_stands_on_the_line(void) {
  char        words[][16] = {"try", "a", "--whole=1", "b", "-pc", "--numb", "0", "--", "--on"};
  char       *argv[10]    = {NULL};
  const char *given[]     = {"whole", "path", "number"};
  for (int i = 0; i < 9; i++) argv[i] = words[i];
  for (int k = 0; k < 3; k++) CU_ASSERT_TRUE(ee_options_given(&line, 9, argv, given[k]));
  CU_ASSERT_FALSE(ee_options_given(&line, 9, argv, "on"));
  CU_ASSERT_FALSE(ee_options_given(&line, 9, argv, "help"));
  CU_ASSERT_TRUE(ee_options_given(&line, 9, argv, "whole"));
  CU_ASSERT_FALSE(ee_options_given(&line, 1, argv, "whole"));
}

const ee_fact ee_facts[] = {EE_FACT(right_values_are_taken),
                            EE_FACT(an_option_is_given_if_it_stands_on_the_line),
                            EE_FACT(wrong_values_are_errors_of_usage_that_name_the_option),
                            {NULL, NULL}};
