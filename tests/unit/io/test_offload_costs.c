/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of offloading from text and from a trace. */
#include <math.h>

#include "ee/offload_costs_file.h"
#include "trace_made.h"

static const char *file_with(const char *text) {
  const char *path = ee_test_path("costs.csv");
  FILE       *file = fopen(path, "wb");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  CU_ASSERT_EQUAL(fwrite(text, 1, strlen(text), file), strlen(text));
  CU_ASSERT_EQUAL(fclose(file), 0);
  return path;
}

static void refuse(const char *path, const char *words) {
  ee_schedule costs = {1, NULL};
  CU_ASSERT_EQUAL(ee_offload_costs_load(path, &costs), EE_ERR_FORMAT);
  CU_ASSERT_EQUAL(costs.n, 0);
  CU_ASSERT_PTR_NULL(costs.change);
  int good = strstr(ee_status_message(), words) != NULL;
  if (!good) printf("expected '%s': %s\n", words, ee_status_message());
  CU_ASSERT_TRUE(good);
}

static void a_table_is_read_row_by_row(void) {
  ee_schedule costs;
  const char *path = file_with("cost,id\n0.5,0\n0.25,100\n8,2000000000000\n0,2000000000001\n");
  CU_ASSERT_EQUAL_FATAL(ee_offload_costs_load(path, &costs), EE_OK);
  CU_ASSERT_EQUAL_FATAL(costs.n, 4);
  const double at[] = {0.0, 100.0, 2e12, 2e12 + 1}, value[] = {0.5, 0.25, 8.0, 0.0};
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(costs.change[i].at, at[i]);
    CU_ASSERT_EQUAL(costs.change[i].value, value[i]);
  }
  free(costs.change);
}

static void what_is_wrong_in_a_table_is_named(void) {
  refuse(file_with("id,cost\n0,0.5\n5,-1\n"), "costs.csv:3: cost is -1, expected 0 to 8");
  refuse(file_with("id,cost\n0,9\n"), "costs.csv:2: cost is 9");
  refuse(file_with("id,cost\n7,1\n7,1\n"),
         "costs.csv:3: column 'id' is 7, expected a whole number from 8");
  refuse(file_with("id,cost\n0,nan\n"), "costs.csv:2: column 'cost' is 'nan'");
  refuse(file_with("id,cost\n"), "has no rows");
  ee_schedule costs;
  CU_ASSERT_EQUAL(ee_offload_costs_load(file_with("id,price\n0,1\n"), &costs), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_offload_costs_load("/nonexistent/costs.csv", &costs), EE_ERR_FILE);
}

/* Epochs of 100 samples that tell the costs @p cost. */
static const char *trace_with(const double *cost, int n) {
  const char     *path = ee_test_path("costs.h5");
  ee_trace_header head = header(0);
  ee_trace_sink   sink;
  int64_t         count[N_EXITS]  = {0};
  double          busy[N_DEVICES] = {0};
  CU_ASSERT_EQUAL_FATAL(ee_trace_create(path, &head, &sink), EE_OK);
  for (int k = 0; k < n; k++) {
    ee_epoch_record record = {.epoch        = k,
                              .offload_cost = cost[k],
                              .n_exits      = N_EXITS,
                              .n_devices    = N_DEVICES,
                              .left         = count,
                              .reached      = count,
                              .busy         = busy,
                              .before       = &plan};
    sink.epoch(sink.self, &record);
  }
  CU_ASSERT_EQUAL(ee_trace_close(&sink), EE_OK);
  return path;
}

static void a_trace_gives_what_its_policy_was_told(void) {
  const double cost[] = {NAN, NAN, 0.1, 0.1, 1.0 / 3.0};
  ee_schedule  costs;
  CU_ASSERT_EQUAL_FATAL(ee_offload_costs_load(trace_with(cost, 5), &costs), EE_OK);
  CU_ASSERT_EQUAL_FATAL(costs.n, 3);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(costs.change[i].at, 100.0 * (i + 2));
    CU_ASSERT_EQUAL(costs.change[i].value, cost[i + 2]);
  }
  free(costs.change);
  refuse(trace_with(cost, 2), "told policies no costs by epoch");
}

const ee_fact ee_facts[] = {
    EE_FACT(a_table_is_read_row_by_row),
    EE_FACT(what_is_wrong_in_a_table_is_named),
    EE_FACT(a_trace_gives_what_its_policy_was_told),
    {NULL, NULL},
};
