/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/fleet_file.h"

#include <stdio.h>
#include <string.h>

#include "ee_test.h"

/* Write `text` to a file; its path. */
static const char *file_with(const char *text) {
  const char *path = ee_test_path("fleet.yaml");
  FILE       *file = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(text, 1, strlen(text), file), strlen(text));
  CU_ASSERT_EQUAL(fclose(file), 0);
  return path;
}

static ee_fleet *load(const char *text) {
  ee_fleet *fleet  = NULL;
  ee_status status = ee_fleet_load(file_with(text), &fleet);
  if (status != EE_OK) printf("not read: %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  return fleet;
}

/* That `text` is refused with a sentence that names the line and holds `words`. */
static void refuse(const char *text, int line, const char *words) {
  ee_fleet *fleet = NULL;
  char      start[300];
  CU_ASSERT_EQUAL(ee_fleet_load(file_with(text), &fleet), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(fleet);
  snprintf(start, sizeof start, "fleet.yaml:%d: ", line);
  const char *message = ee_status_message();
  int         good    = strstr(message, start) != NULL && strstr(message, words) != NULL;
  if (!good) printf("expected line %d and '%s': %s\n", line, words, message);
  CU_ASSERT_TRUE(good);
}

static void the_documented_example_is_read(void) {
  ee_fleet *fleet = load(
      "name: home\n"
      "devices:\n"
      "  - {name: camera, flops: 40e6, memory: 64MiB, watts: {busy: 3.0, idle: 1.2},\n"
      "     speed: [{at: 10, factor: 0.5}, {at: 20, factor: 1}]}\n"
      "  - {name: hub, relative: 0.25}\n"
      "  - {name: phone, flops: 2G}\n"
      "links:\n"
      "  default: {bandwidth: 100Mbit/s, latency: 2ms, changes: [{at: 5, bandwidth: 20Mbit/s}]}\n"
      "  pairs:\n"
      "    - {from: camera, to: hub, bandwidth: 1Gbit/s, latency: 200us}  # fast\n");
  CU_ASSERT_STRING_EQUAL(fleet->name, "home");
  CU_ASSERT_EQUAL_FATAL(fleet->n_devices, 3);
  CU_ASSERT_STRING_EQUAL(fleet->device[0].name, "camera");
  CU_ASSERT_EQUAL(fleet->device[0].memory, 64.0 * 1024 * 1024);
  CU_ASSERT_EQUAL(fleet->device[0].watts_busy, 3.0);
  CU_ASSERT_EQUAL(fleet->device[0].watts_idle, 1.2);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 0, 9, 1e9), 40e6);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 0, 15, 1e9), 20e6);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 0, 20, 1e9), 40e6);
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 1, 0, 1e9), 0.25e9);
  CU_ASSERT_EQUAL(fleet->device[1].memory, 0.0);

  const ee_link_spec *slow = ee_fleet_link(fleet, 1, 2), *fast = ee_fleet_link(fleet, 1, 0);
  CU_ASSERT_DOUBLE_EQUAL(slow->latency, 2e-3, 1e-15);
  CU_ASSERT_EQUAL(ee_link_bandwidth(slow, 4.9), 12.5e6);
  CU_ASSERT_EQUAL(ee_link_bandwidth(slow, 5.0), 2.5e6);
  CU_ASSERT_DOUBLE_EQUAL(fast->latency, 200e-6, 1e-15);
  CU_ASSERT_EQUAL(ee_link_bandwidth(fast, 50.0), 125e6);
  CU_ASSERT_EQUAL(ee_link_bandwidth(ee_fleet_link(fleet, 0, 1), 50.0), 125e6);
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 1, 1)->latency, 0.0);
  ee_fleet_destroy(&fleet);
}

static void links_may_stand_before_devices_and_go_one_way(void) {
  ee_fleet *fleet = load(
      "links:\n"
      "  pairs:\n"
      "    - {from: a, to: b, latency: 1s, one_way: true}\n"
      "    - {from: b, to: a, latency: 3s, one_way: true, changes: [{at: 1ms, bandwidth: 8B/s}]}\n"
      "devices: [{name: a, relative: 1}, {name: b, relative: 2}]\n");
  CU_ASSERT_STRING_EQUAL(fleet->name, "");
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 0, 1)->latency, 1.0);
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 1, 0)->latency, 3.0);
  CU_ASSERT_EQUAL(ee_link_bandwidth(ee_fleet_link(fleet, 0, 1), 1.0), 0.0);
  CU_ASSERT_EQUAL(ee_link_bandwidth(ee_fleet_link(fleet, 1, 0), 1.0), 8.0);
  ee_fleet_destroy(&fleet);
}

static void a_pair_keeps_of_the_default_what_it_does_not_say(void) {
  ee_fleet *fleet = load(
      "devices: [{name: a, relative: 1}, {name: b, relative: 2}, {name: c, relative: 1}]\n"
      "links:\n"
      "  default: {bandwidth: 1MB/s, latency: 5ms, changes: [{at: 2, bandwidth: 2MB/s}]}\n"
      "  pairs: [{from: a, to: b, latency: 9ms}, {from: a, to: c, bandwidth: 3MB/s}]\n");
  const ee_link_spec *ab = ee_fleet_link(fleet, 0, 1), *ac = ee_fleet_link(fleet, 0, 2);
  CU_ASSERT_DOUBLE_EQUAL(ab->latency, 9e-3, 1e-15);
  CU_ASSERT_EQUAL(ee_link_bandwidth(ab, 3.0), 2e6);
  CU_ASSERT_DOUBLE_EQUAL(ac->latency, 5e-3, 1e-15);
  CU_ASSERT_EQUAL(ee_link_bandwidth(ac, 3.0), 3e6);
  ee_fleet_destroy(&fleet);
}

static void every_unit_is_known(void) {
  static const struct {
    const char *key, *text;
    double      value;
  } cases[] = {
      {"flops", "3000", 3e3}, {"flops", "3k", 3e3},      {"flops", "3M", 3e6},
      {"flops", "3 G", 3e9},  {"flops", "1.5T", 1.5e12}, {"flops", "7GFLOP/s", 7e9},
      {"memory", "9B", 9},    {"memory", "2KiB", 2048},  {"memory", "1GiB", 1073741824.0},
      {"memory", "2kB", 2e3}, {"memory", "2MB", 2e6},    {"memory", "0.5GB", 5e8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    int  memory = strcmp(cases[i].key, "memory") == 0;
    snprintf(text, sizeof text, "devices: [{name: a, %s%s: %s}]", memory ? "relative: 1, " : "",
             cases[i].key, cases[i].text);
    ee_fleet *fleet = load(text);
    CU_ASSERT_EQUAL(memory ? fleet->device[0].memory : fleet->device[0].flops, cases[i].value);
    ee_fleet_destroy(&fleet);
  }
}

static void every_rate_is_bytes_per_second(void) {
  static const struct {
    const char *text;
    double      value;
  } cases[] = {{"8bit/s", 1}, {"8kbit/s", 1e3}, {"8Mbit/s", 1e6}, {"8Gbit/s", 1e9},
               {"5B/s", 5},   {"5kB/s", 5e3},   {"5MB/s", 5e6},   {"5GB/s", 5e9}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    snprintf(text, sizeof text,
             "devices: [{name: a, relative: 1}, {name: b, relative: 1}]\n"
             "links: {default: {bandwidth: %s}}\n",
             cases[i].text);
    ee_fleet *fleet = load(text);
    CU_ASSERT_EQUAL(ee_link_bandwidth(ee_fleet_link(fleet, 0, 1), 0.0), cases[i].value);
    ee_fleet_destroy(&fleet);
  }
}

static void aliases_are_followed(void) {
  ee_fleet *fleet = load(
      "devices:\n"
      "  - {name: a, relative: 1, speed: &storm [{at: 1, factor: 0.5}]}\n"
      "  - {name: b, relative: 1, speed: *storm}\n");
  CU_ASSERT_EQUAL(ee_fleet_speed(fleet, 1, 1.0, 1e9), 0.5e9);
  ee_fleet_destroy(&fleet);
}

static void an_unknown_key_is_refused_with_what_is_known(void) {
  refuse("devices:\n  - {name: a, relative: 1}\n  - {name: b,\n     memori: 1MiB}\n", 4,
         "devices[1].memori is not a key; expected one of name, count, flops, relative, memory");
  refuse("device: 1\n", 1, "device is not a key; expected one of name, devices, links");
  refuse("devices: [{name: a, relative: 1}]\nlinks: {defaults: {}}\n", 2, "links.defaults");
  refuse("devices: [{name: a, relative: 1, watts: {bussy: 1}}]\n", 1, "devices[0].watts.bussy");
  refuse("x: &m {name: q}\ndevices: []\n", 1, "x is not a key");
  refuse("devices:\n  - {<<: {name: a}, relative: 1}\n", 2, "<<");
}

static void a_wrong_number_is_refused(void) {
  static const char *const bad[] = {"flops: 0",     "flops: -3M",  "flops: fast",   "flops: inf",
                                    "flops: nan",   "flops: 0x10", "flops: 1e400",  "flops: 3Q",
                                    "flops: ''",    "flops: [3]",  "flops: {a: 3}", "relative: 1k",
                                    "flops: 3e307T"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, "devices:\n- name: a\n  %s\n", bad[i]);
    refuse(text, 3, bad[i][0] == 'f' ? "devices[0].flops" : "devices[0].relative");
  }
  refuse("devices: [{name: a, relative: 1, memory: 64}]", 1, "lacks its unit; units: B KiB");
  refuse("devices: [{name: a, relative: 1, memory: 64Mbit}]", 1, "has an unknown unit");
  refuse("devices: [{name: a, relative: 1, watts: {busy: 1, idle: -1}}]", 1, "watts.idle");
}

/* The ends of each range are taken, and what lies beyond is refused with the range. */
static void what_no_device_or_link_can_be_is_refused(void) {
#define ONE(x) "devices:\n- {name: a, " x "}\n"
#define LINKED(x) ONE("flops: 1G") "links: {default: {" x "}}\n"
  static const struct {
    const char *text, *key, *least, *most, *below, *above, *range;
    int         line;
  } cases[] = {
      {ONE("flops: %s"), "devices[0].flops", "1k", "1e18", "999", "1e300", "1000 to 1e+18 FLOP/s",
       2},
      {ONE("relative: %s"), "devices[0].relative", "1e-6", "1e6", "1e-300", "1e7", "1e-06 to 1e+06",
       2},
      {ONE("flops: 1G, memory: %s"), "devices[0].memory", "1B", "1e6GB", "1e-300B", "1e300B",
       "1 to 1e+15 B", 2},
      {ONE("flops: 1G, watts: {busy: %s, idle: 1}"), "devices[0].watts.busy", "1e-6", "1e9", "-1",
       "1e10", "1e-06 to 1e+09 W", 2},
      {ONE("flops: 1G, watts: {busy: 1, idle: %s}"), "devices[0].watts.idle", "0", "1e9", "-1e-300",
       "1e300", "0 to 1e+09 W", 2},
      {ONE("flops: 1G, speed: [{at: 1, factor: %s}]"), "devices[0].speed[0].factor", "1e-9", "1e6",
       "1e-10", "1e999", "1e-09 to 1e+06", 2},
      {ONE("flops: 1G, speed: [{at: %s, factor: 1}]"), "devices[0].speed[0].at", "0", "1e9", "-1",
       "1e300", "0 to 1e+09 s", 2},
      {ONE("flops: 1G, away: [{from: %s}]"), "devices[0].away[0].from", "0", "1e9", "-1", "1e10",
       "0 to 1e+09 s", 2},
      {ONE("flops: 1G, count: %s"), "devices[0].count", "1", "4096", "0.5", "4097", "1 to 4096", 2},
      {LINKED("bandwidth: %s"), "links.default.bandwidth", "1B/s", "1e4GB/s", "1bit/s", "1e300B/s",
       "1 to 1e+13 B/s", 3},
      {LINKED("latency: %s"), "links.default.latency", "0s", "3600s", "-1us", "3601s",
       "0 to 3600 s", 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *tried[] = {cases[i].least, cases[i].most, cases[i].below, cases[i].above};
    for (int k = 0; k < 4; k++) {
      const char *at = strstr(cases[i].text, "%s");
      char        text[400], said[200];
      snprintf(text, sizeof text, "%.*s%s%s", (int)(at - cases[i].text), cases[i].text, tried[k],
               at + 2);
      snprintf(said, sizeof said, "%s is '%s'; expected %s", cases[i].key, tried[k],
               cases[i].range);
      ee_fleet *fleet = k < 2 ? load(text) : NULL;
      ee_fleet_destroy(&fleet);
      if (k >= 2) refuse(text, cases[i].line, said);
    }
  }
}

static void wrong_links_are_refused(void) {
#define TWO "devices: [{name: a, relative: 1}, {name: b, relative: 1}]\n"
  refuse(TWO "links: {pairs: [{from: a, to: c}]}", 2, "'c'");
  refuse(TWO "links: {pairs: [{from: a, to: a}]}", 2, "links a with itself");
  refuse(TWO "links:\n  pairs:\n  - {from: a, to: b}\n  - {from: b, to: a}\n", 5,
         "links.pairs[1] gives the link from b to a a second time");
  refuse(TWO "links: {pairs: [{from: a}]}", 2, "links.pairs[0] lacks the key to");
  refuse(TWO "links: {pairs: [{from: a, to: b, one_way: maybe}]}", 2, "expected true or false");
  refuse(TWO "links: {default: {latency: -1ms}}", 2,
         "links.default.latency is '-1ms'; expected 0 to 3600 s");
  refuse(TWO "links: {default: {latency: 4}}", 2, "lacks its unit");
  refuse(TWO "links: {default: {bandwidth: 0B/s}}", 2, "links.default.bandwidth");
  refuse(TWO "links: {pairs: {from: a}}", 2, "links.pairs must be a list");
  refuse(TWO "links: {default: {changes: [{at: 2, bandwidth: 1B/s}, {at: 2, bandwidth: 2B/s}]}}", 2,
         "links.default.changes[1] is not later");
  refuse(TWO "links: {pairs: [{from: a, to: b, changes: [{at: 2, bandwith: 1B/s}]}]}", 2,
         "links.pairs[0].changes[0].bandwith");
}

static void a_count_stands_for_numbered_devices(void) {
  ee_fleet *fleet = load(
      "devices:\n"
      "  - {name: hub, relative: 1}\n"
      "  - {name: leaf, count: 3, flops: 2G, speed: [{at: 1, factor: 0.5}]}\n"
      "links: {pairs: [{from: leaf2, to: hub, latency: 1ms}]}\n");
  CU_ASSERT_EQUAL_FATAL(fleet->n_devices, 4);
  CU_ASSERT_STRING_EQUAL(fleet->device[1].name, "leaf0");
  CU_ASSERT_STRING_EQUAL(fleet->device[3].name, "leaf2");
  for (int d = 1; d < 4; d++) CU_ASSERT_EQUAL(ee_fleet_speed(fleet, d, 2, 1e9), 1e9);
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 3, 0)->latency, 1e-3);
  ee_fleet_destroy(&fleet);
}

static void absences_are_from_when_to_when(void) {
  ee_fleet *fleet = load(
      "devices:\n"
      "  - {name: a, relative: 1, away: [{from: 0, to: 2}, {from: 3}]}\n"
      "  - {name: b, count: 2, relative: 1, away: [{from: 500ms, to: 1}]}\n");
  const double at[]   = {0.0, 0.5, 1.0, 1.9, 2.0, 2.9, 3.0, 1e6};
  const bool   away[] = {true, true, true, true, false, false, true, true};
  for (int i = 0; i < 8; i++) CU_ASSERT_EQUAL(ee_fleet_away(fleet, 0, at[i]), away[i]);
  for (int i = 0; i < 8; i++) CU_ASSERT_EQUAL(ee_fleet_away(fleet, 2, at[i]), i == 1);
  ee_fleet_destroy(&fleet);
  refuse("devices: [{name: a, relative: 1, away: [{from: 2, to: 2}]}]", 1, "ends at 2 s");
  refuse("devices: [{name: a, relative: 1, away: [{from: 2}, {from: 3}]}]", 1, "away[1] does not");
  refuse("devices: [{name: a, relative: 1, away: [{from: 2, to: 5}, {from: 4}]}]", 1,
         "does not begin behind the end");
  refuse("devices: [{name: a, relative: 1, away: [{to: 5}]}]", 1, "lacks the key from");
  refuse("devices: [{name: a, relative: 1, away: []}]", 1, "away is empty");
}

/* Bandwidths of a file beside the fleet's: 8 Mbit/s for a second, then 2, and again. */
static void a_recorded_link_carries_bytes_as_recorded(void) {
  FILE *file = fopen(ee_test_path("net.txt"), "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  fputs("0 8\n1 2\n", file);
  CU_ASSERT_EQUAL(fclose(file), 0);
  ee_fleet *fleet = load(
      "devices: [{name: a, relative: 1}, {name: b, relative: 1}, {name: c, relative: 1}]\n"
      "links:\n"
      "  default: {trace: net.txt, latency: 1ms}\n"
      "  pairs: [{from: a, to: c, bandwidth: 1MB/s}, {from: b, to: c, latency: 2ms}]\n");
  const ee_link_spec *ab = ee_fleet_link(fleet, 0, 1), *bc = ee_fleet_link(fleet, 1, 2);
  CU_ASSERT_DOUBLE_EQUAL(ee_link_transfer(ab, 1.25e6, 0.0), 2.0, 1e-9);
  CU_ASSERT_DOUBLE_EQUAL(ee_link_transfer(ab, 0.5e6, 1.0), 1.25, 1e-9);  // over the end
  CU_ASSERT_DOUBLE_EQUAL(ee_link_bandwidth(ab, 0.0), 0.625e6, 1e-6);
  CU_ASSERT_PTR_EQUAL(bc->trace, ab->trace);
  CU_ASSERT_EQUAL(bc->latency, 2e-3);
  CU_ASSERT_PTR_NULL(ee_fleet_link(fleet, 0, 2)->trace);
  CU_ASSERT_DOUBLE_EQUAL(ee_link_transfer(ee_fleet_link(fleet, 2, 0), 1e6, 1.0), 1.0, 1e-9);
  ee_fleet_destroy(&fleet);
}

static void a_text_stands_alone(void) {
  ee_fleet *fleet = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_fleet_parse("a text",
                                       "devices: [{name: a, relative: 2}, {name: b, flops: 1k}]\n"
                                       "links: {default: {trace: none.txt, latency: 1ms}}\n",
                                       &fleet),
                        EE_OK);
  CU_ASSERT_STRING_EQUAL(fleet->device[0].name, "a");
  CU_ASSERT_EQUAL(ee_fleet_link(fleet, 0, 1)->latency, 1e-3);
  CU_ASSERT_PTR_NULL(ee_fleet_link(fleet, 0, 1)->trace);
  ee_fleet_destroy(&fleet);
  CU_ASSERT_EQUAL(ee_fleet_parse("a text", "devices: 3", &fleet), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "a text:1: devices must be a list"));
}

static void wrong_traces_are_refused(void) {
  static const char two[] = "devices: [{name: a, relative: 1}, {name: b, relative: 1}]\nlinks: ";
  char              text[400];
  ee_fleet         *fleet = NULL;
  FILE             *file  = fopen(ee_test_path("net.txt"), "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  fputs("0 8\n1 fast\n", file);
  CU_ASSERT_EQUAL(fclose(file), 0);
  snprintf(text, sizeof text, "%s{default: {trace: net.txt}}", two);
  CU_ASSERT_EQUAL(ee_fleet_load(file_with(text), &fleet), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "net.txt:2: 'fast'"));
  snprintf(text, sizeof text, "%s{default: {trace: none.txt}}", two);
  CU_ASSERT_EQUAL(ee_fleet_load(file_with(text), &fleet), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), ":2: links.default.trace is refused: "));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "none.txt cannot be opened"));
  snprintf(text, sizeof text, "%s{default: {trace: ''}}", two);
  refuse(text, 2, "links.default.trace is ''; expected the path of a file");
  file = fopen(ee_test_path("net.txt"), "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  fputs("0 8\n1 2\n", file);
  CU_ASSERT_EQUAL(fclose(file), 0);
  snprintf(text, sizeof text, "%s{default: {trace: net.txt, bandwidth: 1MB/s}}", two);
  refuse(text, 2, "has a trace, and bandwidth or changes as well");
}

static void wrong_devices_are_refused(void) {
  refuse("devices:\n- {name: a, relative: 1}\n- {name: a, relative: 1}\n", 3,
         "the name a of device 0");
  refuse("devices: [{name: a}]", 1, "exactly one of flops and relative");
  refuse("devices: [{name: a, flops: 1k, relative: 1}]", 1, "exactly one of flops and relative");
  refuse("devices: [{relative: 1}]", 1, "devices[0] lacks the key name");
  refuse("devices: [{name: '', relative: 1}]", 1, "devices[0].name is empty");
  refuse("devices: [{name: \"a\\0b\", relative: 1}]", 1, "zero byte");
  refuse("devices: [{name: a, name: b, relative: 1}]", 1, "devices[0].name is given twice");
  refuse("devices: [{name: a, relative: 1, count: 1.5}]", 1, "devices[0].count is 1.5");
  refuse("devices: [{name: a, relative: 1, count: 0}]", 1, "devices[0].count is '0'");
  refuse("devices:\n- {name: a, relative: 1, count: 4000}\n- {name: b, relative: 1, count: 97}", 3,
         "makes more than 4096 devices");
  refuse("devices:\n- {name: a1, relative: 1}\n- {name: a, relative: 1, count: 3}", 3,
         "has the name a1 of device 0");
  refuse("devices: []", 1, "devices is empty");
  refuse("devices: 3", 1, "devices must be a list");
  refuse("devices: [3]", 1, "devices[0] must be a mapping");
  refuse("devices: [{name: a, relative: 1, speed: []}]", 1, "devices[0].speed is empty");
  refuse("devices: [{name: a, relative: 1, [b]: 1}]", 1, "devices[0] must be a single value");
  refuse(
      "devices: [{name: "
      "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg, relative: 1}]",
      1, "has 64 bytes");
}

static void what_is_not_one_yaml_mapping_is_refused(void) {
  refuse("", 1, "the file is empty");
  refuse("- a\n", 1, "the file must be a mapping");
  refuse("name: x\n", 1, "the file lacks the key devices");
  refuse("devices: [{name: a, relative: 1}\n\n", 3, "");
  refuse("devices: [{name: a, relative: 1}]\n---\nname: b\n", 2, "second document");
  refuse("devices: [{name: a, relative: *b}]\n", 1, "");
  refuse("devices: &d [*d]\n", 1, "");
}

static void deep_nesting_is_refused_and_harmless(void) {
  static char text[200001];
  memset(text, '[', sizeof text - 1);
  memcpy(text, "devices: ", 9);
  refuse(text, 1, "more than 32 levels");
}

static void a_flood_of_anchors_is_refused(void) {
  static char text[40000];
  size_t      used = (size_t)snprintf(text, sizeof text, "devices:\n");
  for (int i = 0; i < 1001; i++) {
    used += (size_t)snprintf(text + used, sizeof text - used, "- &a%d x\n", i);
  }
  refuse(text, 1002, "1000 anchors");
}

static void a_file_that_is_not_there_is_named(void) {
  ee_fleet *fleet = NULL;
  CU_ASSERT_EQUAL(ee_fleet_load("no/such/fleet.yaml", &fleet), EE_ERR_FILE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "no/such/fleet.yaml"));
  CU_ASSERT_NOT_EQUAL(ee_fleet_load("/", &fleet), EE_OK);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_documented_example_is_read),
    EE_FACT(links_may_stand_before_devices_and_go_one_way),
    EE_FACT(a_pair_keeps_of_the_default_what_it_does_not_say),
    EE_FACT(every_unit_is_known),
    EE_FACT(every_rate_is_bytes_per_second),
    EE_FACT(aliases_are_followed),
    EE_FACT(an_unknown_key_is_refused_with_what_is_known),
    EE_FACT(a_wrong_number_is_refused),
    EE_FACT(what_no_device_or_link_can_be_is_refused),
    EE_FACT(wrong_links_are_refused),
    EE_FACT(a_count_stands_for_numbered_devices),
    EE_FACT(absences_are_from_when_to_when),
    EE_FACT(a_recorded_link_carries_bytes_as_recorded),
    EE_FACT(a_text_stands_alone),
    EE_FACT(wrong_traces_are_refused),
    EE_FACT(wrong_devices_are_refused),
    EE_FACT(what_is_not_one_yaml_mapping_is_refused),
    EE_FACT(deep_nesting_is_refused_and_harmless),
    EE_FACT(a_flood_of_anchors_is_refused),
    EE_FACT(a_file_that_is_not_there_is_named),
    {NULL, NULL},
};
