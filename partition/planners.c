/* SPDX-License-Identifier: Apache-2.0 */
/* The list of planners; a new one is one line here. */
#include <stdio.h>
#include <string.h>

#include "baseline.h"

static const ee_planner exact = {
    .name     = "exact",
    .help     = "the shortest period with loads weighted by reach; devices in index order",
    .find     = ee_partition_exact,
    .in_order = true,
};
static const ee_planner uniform = {
    .name = "uniform",
    .help = "layers spread evenly by number over all devices",
    .find = ee_partition_uniform,
};
static const ee_planner flops = {
    .name = "flops",
    .help = "the shortest period if no sample left early: balanced for the full depth",
    .find = ee_partition_flops,
};
static const ee_planner latency = {
    .name = "latency",
    .help = "the least expected latency of a sample, then the shortest period; in index order",
    .find = ee_partition_latency,
    .by_latency = true,
};
static const ee_planner free_order = {
    .name = "free-order",
    .help = "the shortest period in any order of devices; a heuristic for many unequal devices",
    .find = ee_partition_free_order,
};

static const ee_planner replicate = {
    .name       = "replicate",
    .help       = "the shortest period if several devices may share a stage",
    .find       = ee_partition_replicate_plan,
    .replicates = true,
};

static ee_status find_pipeedge(const ee_chain *chain, ee_plan **plan) {
  return ee_partition_pipeedge(chain, false, plan);
}

static ee_status find_pipeedge_released(const ee_chain *chain, ee_plan **plan) {
  return ee_partition_pipeedge(chain, true, plan);
}

static const ee_planner pipeedge = {
    .name = "pipeedge",
    .help = "PipeEdge's recurrence, any order; ignores exits, latency and the source",
    .find = find_pipeedge,
};
static const ee_planner pipeedge_released = {
    .name = "pipeedge-released",
    .help = "the same with the released program's mistake of one type's profile for another's",
    .find = find_pipeedge_released,
};
static const ee_planner deepspeed = {
    .name = "deepspeed",
    .help = "DeepSpeed's balance: parts that differ least; ignores exits, speeds and links",
    .find = ee_partition_deepspeed,
};

static const ee_planner *const table[] = {&exact,     &latency, &free_order, &replicate,
                                          &uniform,   &flops,   &pipeedge,   &pipeedge_released,
                                          &deepspeed, NULL};

const ee_planner *const *ee_planners(void) {
  return table;
}

const ee_planner *ee_planner_by_name(const char *name) {
  const ee_planner *const *planner = table;
  while (*planner != NULL && strcmp((*planner)->name, name) != 0) planner++;
  return *planner;
}

const char *ee_planner_names(char *text, int size) {
  int length = 0;
  if (size > 0) text[0] = '\0';
  for (const ee_planner *const *planner = table; *planner != NULL && length < size; planner++) {
    const char *between = planner == table ? "" : planner[1] == NULL ? " or " : ", ";
    length += snprintf(text + length, (size_t)(size - length), "%s%s", between, (*planner)->name);
  }
  return text;
}
