/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in bands of rows on ranks: whatever heights, exchanges and places, samples leave where
 * they do alone, with the same bits. */
#include "../unit/partition/plan_case.h"
#include "ee/team.h"
#include "toy_alone.h"

enum { PLANS = 8 };

static int rank, size;

/* A random plan's units on as many ranks as there are and plans have; borders apart in every other
 * one. */
static ee_units *make_units(const ee_model *m, uint64_t turn) {
  ee_rng    rng   = ee_rng_at(turn, 12);
  ee_units *units = NULL;
  plan_case c;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  random_plan(m, 0, size < MOST_DEVICES ? size : MOST_DEVICES, &rng, &c);
  c.placing.source = 0;
  c.placing.apart  = turn % 2 == 0;
  CU_ASSERT_TRUE_FATAL(c.plan.n_ranges > 1);
  CU_ASSERT_EQUAL_FATAL(ee_band_units(m, &ee_backend_ref, &c.plan, &c.placing, &units), EE_OK);
  return units;
}

/* Collective. */
static ee_status go(const toy_run *t, const ee_units *units, const ee_team_options *options) {
  ee_team *team = NULL;
  EE_TRY(ee_team_create(MPI_COMM_WORLD, &t->setup, units, options, &team));
  ee_status status = ee_team_run(team);
  ee_team_destroy(&team);
  return status;
}

static void samples_leave_where_they_do_alone(void) {
  for (uint64_t turn = 0; turn < PLANS; turn++) {
    toy_run t;
    toy_open(&t, TOY_SAMPLES);
    ee_units       *units   = make_units(t.model, turn);
    ee_team_options options = ee_team_defaults();
    options.window          = 1 + (int)turn;
    options.ahead           = (int)turn % 3;
    CU_ASSERT_EQUAL(go(&t, units, &options), EE_OK);
    if (rank == 0) toy_check_outcome(&t);
    ee_units_destroy(&units);
    toy_close(&t);
  }
}

/* Devices that differ, on links that take their time. */
static void a_paced_fleet_changes_no_bit(void) {
  toy_run   t;
  ee_fleet *fleet = NULL;
  toy_open(&t, 20);
  ee_units       *units   = make_units(t.model, 0);
  ee_team_options options = ee_team_defaults();
  CU_ASSERT_EQUAL_FATAL(ee_fleet_create(size, &fleet), EE_OK);
  for (int d = 0; d < size; d++) fleet->device[d].flops = 1e8 * (1 + d % 3);
  for (int k = 0; k < size * size; k++) {
    fleet->link[k].bandwidth = 1e7;
    fleet->link[k].latency   = 1e-4 * (1 + k % 4);
  }
  t.setup.fleet = fleet;
  CU_ASSERT_EQUAL(go(&t, units, &options), EE_OK);
  if (rank == 0) toy_check_outcome(&t);
  ee_units_destroy(&units);
  ee_fleet_destroy(&fleet);
  toy_close(&t);
}

/* The file of one rank is damaged behind its first layers. */
static ee_status fail_at(void *self, int layer, float **blob) {
  if (rank == size - 1 && layer > 1) return EE_FAIL(EE_ERR_FILE, "layer %d cannot be read", layer);
  return toy_layer(self, layer, blob);
}

static void a_layer_that_one_rank_cannot_read_ends_all(void) {
  toy_run t;
  toy_open(&t, 20);
  plan_case c;
  ee_rng    rng   = ee_rng_at(1, 13);
  ee_units *units = NULL;
  random_plan(t.model, 0, size < MOST_DEVICES ? size : MOST_DEVICES, &rng, &c);
  for (int l = 0; l < t.model->n_layers; l++) c.device[l] = size - 1;
  c.placing = (ee_band_placing){.device = c.device};
  CU_ASSERT_EQUAL_FATAL(ee_band_units(t.model, &ee_backend_ref, &c.plan, &c.placing, &units),
                        EE_OK);
  ee_team_options options = ee_team_defaults();
  t.setup.layers.read     = fail_at;
  CU_ASSERT_EQUAL(go(&t, units, &options), EE_ERR_FILE);
  ee_units_destroy(&units);
  toy_close(&t);
}

const ee_fact ee_facts[] = {
    EE_FACT(samples_leave_where_they_do_alone),
    EE_FACT(a_paced_fleet_changes_no_bit),
    EE_FACT(a_layer_that_one_rank_cannot_read_ends_all),
    {NULL, NULL},
};
