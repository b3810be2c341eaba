/* SPDX-License-Identifier: Apache-2.0 */
/* Ending an HDF5 file that can no longer be written. */
#include "h5_detach.h"

#include <fcntl.h>
#include <unistd.h>

void ee_h5_detach(const ee_h5 *h5) {
  int *fd   = NULL;  // the default driver's handle is its file descriptor
  int  sink = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (sink < 0) return;
  if (H5Fget_vfd_handle(h5->id, H5P_DEFAULT, (void **)&fd) >= 0 && fd != NULL) dup2(sink, *fd);
  close(sink);
}

ee_status ee_h5_flush_or_detach(const ee_h5 *h5) {
  if (H5Fflush(h5->id, H5F_SCOPE_GLOBAL) >= 0) return EE_OK;
  ee_status status = ee_h5_fail(h5, EE_ERR_FILE, "write", "the file");
  ee_h5_detach(h5);
  return status;
}
