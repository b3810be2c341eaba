# SPDX-License-Identifier: Apache-2.0
# find_package(edgeexit) gives the targets ee::core, ee::nn, ee::exits, ee::partition, ee::runtime,
# ee::control and ee::io.
include(${CMAKE_CURRENT_LIST_DIR}/edgeexit-dependencies.cmake)
if(edgeexit_MISSING)
  list(JOIN edgeexit_MISSING ", " edgeexit_MISSING)
  set(edgeexit_FOUND FALSE)
  set(edgeexit_NOT_FOUND_MESSAGE "EdgeExit links with these, which were not found: \
${edgeexit_MISSING}")
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/edgeexit-targets.cmake)
