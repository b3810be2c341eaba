/* SPDX-License-Identifier: Apache-2.0 */
/* Reaches into every library, so that it links only if the package brings what each needs. */
#include <mpi.h>
#include <stdio.h>

#include "ee/agree.h"
#include "ee/backend.h"
#include "ee/controller.h"
#include "ee/fleet_file.h"
#include "ee/import.h"
#include "ee/model_file.h"

/* A missing file is an error with a sentence, whatever reads it, and on every rank. */
static int refuses_missing_files(void) {
  static const ee_onnx_options onnx  = {0};
  static const ee_data_range   all   = {0};
  ee_model                    *model = NULL;
  ee_model_file               *file  = NULL;
  ee_fleet                    *fleet = NULL;
  int refused = ee_import_onnx("missing.onnx", &onnx, &model) == EE_ERR_FILE &&
                ee_import_idx("missing", "missing", all, NULL, "out.h5") == EE_ERR_FILE &&
                ee_model_file_open("missing.h5", &file) == EE_ERR_FILE;
  ee_status loaded = ee_fleet_load("missing.yaml", &fleet);
  return refused && ee_agree(MPI_COMM_WORLD, loaded, 1) == EE_ERR_FILE;
}

int main(int argc, char **argv) {
  int rank;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const ee_backend *blis  = ee_backend_by_name("blis");
  int               right = refuses_missing_files() && blis != NULL && blis->open() == EE_OK &&
              ee_controller_defaults().rebalance;
  if (rank == 0) printf("%s: %s\n", right ? "right" : "wrong", ee_status_message());
  MPI_Finalize();
  return right ? 0 : 1;
}
