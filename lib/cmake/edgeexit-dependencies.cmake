# SPDX-License-Identifier: Apache-2.0
# What the libraries of EdgeExit link with.  Read by the build and by the installed package, so that
# both look in the same way.  Makes the targets MPI::MPI_C, Threads::Threads, ZLIB::ZLIB, PkgConfig::EE_HDF5,
# PkgConfig::EE_YAML, PkgConfig::EE_PROTOBUFC and ee::blis; sets edgeexit_MISSING to a list of what
# was not found.
set(edgeexit_MISSING "")

find_package(MPI 3.1 QUIET COMPONENTS C)
if(NOT TARGET MPI::MPI_C)
  list(APPEND edgeexit_MISSING "MPI 3.1 (libopenmpi-dev)")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads QUIET)
if(NOT TARGET Threads::Threads)
  list(APPEND edgeexit_MISSING "POSIX threads (libc6-dev)")
endif()

find_package(ZLIB QUIET)
if(NOT TARGET ZLIB::ZLIB)
  list(APPEND edgeexit_MISSING "zlib (zlib1g-dev)")
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  # The serial HDF5 by name: plain "hdf5" may become the parallel one.
  pkg_search_module(EE_HDF5 QUIET IMPORTED_TARGET hdf5-serial hdf5)
  pkg_check_modules(EE_YAML QUIET IMPORTED_TARGET yaml-0.1)
  pkg_check_modules(EE_PROTOBUFC QUIET IMPORTED_TARGET libprotobuf-c)
else()
  list(APPEND edgeexit_MISSING "pkg-config (pkg-config), with which the next three are found")
endif()
if(NOT TARGET PkgConfig::EE_HDF5)
  list(APPEND edgeexit_MISSING "HDF5, serial (libhdf5-dev)")
endif()
if(NOT TARGET PkgConfig::EE_YAML)
  list(APPEND edgeexit_MISSING "libyaml (libyaml-dev)")
endif()
if(NOT TARGET PkgConfig::EE_PROTOBUFC)
  list(APPEND edgeexit_MISSING "protobuf-c (libprotobuf-c-dev)")
endif()

# BLIS has no pkg-config file.  Its headers and library stand in folders of their own on Debian,
# where the plain name may be another BLAS's.
find_path(EE_BLIS_INCLUDE_DIR blis.h PATH_SUFFIXES blis blis-serial)
find_library(EE_BLIS_LIBRARY blis PATH_SUFFIXES blis-serial)
mark_as_advanced(EE_BLIS_INCLUDE_DIR EE_BLIS_LIBRARY)
if(NOT EE_BLIS_INCLUDE_DIR OR NOT EE_BLIS_LIBRARY)
  list(APPEND edgeexit_MISSING "BLIS (libblis-dev)")
elseif(NOT TARGET ee::blis)
  add_library(ee::blis INTERFACE IMPORTED)
  set_target_properties(ee::blis PROPERTIES
                        INTERFACE_INCLUDE_DIRECTORIES "${EE_BLIS_INCLUDE_DIR}"
                        INTERFACE_LINK_LIBRARIES "${EE_BLIS_LIBRARY};m")
endif()
