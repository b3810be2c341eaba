/* SPDX-License-Identifier: Apache-2.0 */
/* spoil FILE DATASET INDEX VALUE: put a value into a sealed file of ours, at an index into all
 * elements of a dataset of numbers, under a seal that holds. */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

#include "seal.h"

static int fail(const char *what, const char *name) {
  fprintf(stderr, "spoil: cannot %s %s\n", what, name);
  return EXIT_FAILURE;
}

/* Read all, change one, write all. */
static int change(hid_t set, long long index, double value) {
  hid_t    space = H5Dget_space(set);
  hssize_t n     = H5Sget_simple_extent_npoints(space);
  double  *x     = n > 0 ? calloc((size_t)n, sizeof *x) : NULL;
  int      done  = 0;
  H5Sclose(space);
  if (x != NULL && index >= 0 && index < n &&
      H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0) {
    x[index] = value;
    done     = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
  }
  free(x);
  return done;
}

int main(int argc, char **argv) {
  if (argc != 5) return fail("read", "arguments: FILE DATASET INDEX VALUE");
  hid_t file = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t set  = H5Dopen2(file, argv[2], H5P_DEFAULT);
  int   done = set >= 0 && change(set, atoll(argv[3]), strtod(argv[4], NULL));
  H5Dclose(set);
  H5Fclose(file);
  if (!done) return fail("change", argv[2]);
  if (ee_seal_stamp(argv[1], argv[1]) != EE_OK) return fail("seal", argv[1]);
  return EXIT_SUCCESS;
}
