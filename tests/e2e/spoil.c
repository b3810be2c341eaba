/* SPDX-License-Identifier: Apache-2.0 */
/* Change a dataset of numbers in a sealed file of ours, under a seal that holds:
 * spoil FILE DATASET INDEX VALUE: put a value at an index into all elements
 * spoil FILE DATASET size N: make it a list of N elements, those behind the old ones 0 */
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Write a list of @p n in its place. */
static int resize(hid_t file, const char *name, hid_t set, long long n) {
  hsize_t dim = (hsize_t)n;
  hid_t   old = H5Dget_space(set), type = H5Dget_type(set), space = H5Screate_simple(1, &dim, NULL);
  hssize_t had  = H5Sget_simple_extent_npoints(old);
  double  *x    = had > 0 && n > 0 ? calloc((size_t)(had > n ? had : n), sizeof *x) : NULL;
  int      done = 0;
  if (x != NULL && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0 &&
      H5Ldelete(file, name, H5P_DEFAULT) >= 0) {
    hid_t to = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    done     = H5Dwrite(to, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0;
    H5Dclose(to);
  }
  free(x);
  H5Sclose(old);
  H5Sclose(space);
  H5Tclose(type);
  return done;
}

int main(int argc, char **argv) {
  if (argc != 5) return fail("read", "arguments: FILE DATASET INDEX|size VALUE");
  hid_t file = H5Fopen(argv[1], H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t set  = H5Dopen2(file, argv[2], H5P_DEFAULT);
  int   size = strcmp(argv[3], "size") == 0;
  int   done = set >= 0 && (size ? resize(file, argv[2], set, atoll(argv[4]))
                                 : change(set, atoll(argv[3]), strtod(argv[4], NULL)));
  H5Dclose(set);
  H5Fclose(file);
  if (!done) return fail("change", argv[2]);
  if (ee_seal_stamp(argv[1], argv[1]) != EE_OK) return fail("seal", argv[1]);
  return EXIT_SUCCESS;
}
