# pat_boringssl: BoringSSL's libcrypto, static. Only server/crypto links it.
#
# Debian's gRPC is linked to OpenSSL 3, so both live in one process and must not
# see each other:
#  - the headers reach only who links pat_boringssl. They come before the
#    system's, and gRPC's own headers never see them;
#  - the library's symbols are hidden, carry the prefix pat_ (cmake/boringssl),
#    and --exclude-libs keeps them out of the program's dynamic symbols, where
#    libgrpc.so and libssl.so would bind to them. tests/e2e/boringssl_isolation_test.cc
#    asserts it.
#
# deploy/setup.sh builds the library once and keeps it outside the build tree, in
#   ${XDG_CACHE_HOME:-~/.cache}/pat-sidecar/boringssl/<version>-<processor>-<recipe>/
# for all presets. Configure with -DPAT_BORINGSSL_ROOT=<dir>, or with that variable
# in the environment, to use another BoringSSL: <dir>/include/openssl/*.h and <dir>/libcrypto.a (or lib/, or
# build/crypto/), with or without the prefix.

set(PAT_BORINGSSL_ROOT "$ENV{PAT_BORINGSSL_ROOT}" CACHE PATH
  "A BoringSSL to use instead of the one made by deploy/setup.sh")

function(pat_find_boringssl_root result)
  if(PAT_BORINGSSL_ROOT)
    set(${result} "${PAT_BORINGSSL_ROOT}" PARENT_SCOPE)
    return()
  endif()

  if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache "$ENV{XDG_CACHE_HOME}")
  else()
    set(cache "$ENV{HOME}/.cache")
  endif()
  # Keep in step with boringssl_slot in deploy/setup.sh.
  set(recipe)
  foreach(file IN ITEMS CMakeLists.txt prefix_symbols.cmake)
    set(file "${PROJECT_SOURCE_DIR}/cmake/boringssl/${file}")
    set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(READ "${file}" content)
    string(APPEND recipe "${content}")
  endforeach()
  string(SHA256 recipe "${recipe}")
  string(SUBSTRING "${recipe}" 0 12 recipe)
  file(GLOB found "${cache}/pat-sidecar/boringssl/*-${CMAKE_HOST_SYSTEM_PROCESSOR}-${recipe}/libcrypto.a")
  if(NOT found)
    message(FATAL_ERROR
      "BoringSSL is not built yet. Run deploy/setup.sh, "
      "or configure with -DPAT_BORINGSSL_ROOT=<a built BoringSSL>.")
  endif()
  list(SORT found COMPARE NATURAL ORDER DESCENDING)
  list(GET found 0 newest)
  cmake_path(GET newest PARENT_PATH newest)
  set(${result} "${newest}" PARENT_SCOPE)
endfunction()

pat_find_boringssl_root(root)
find_library(PAT_BORINGSSL_LIBRARY libcrypto.a
  PATHS "${root}" "${root}/lib" "${root}/build/crypto"
  NO_DEFAULT_PATH NO_CACHE REQUIRED)
if(NOT EXISTS "${root}/include/openssl/is_boringssl.h")
  message(FATAL_ERROR "${root}/include/openssl is not BoringSSL's")
endif()
message(STATUS "BoringSSL: ${PAT_BORINGSSL_LIBRARY}")

add_library(pat_boringssl STATIC IMPORTED GLOBAL)
set_target_properties(pat_boringssl PROPERTIES
  IMPORTED_LOCATION "${PAT_BORINGSSL_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${root}/include"
  INTERFACE_LINK_OPTIONS "-Wl,--exclude-libs,ALL"
  INTERFACE_LINK_LIBRARIES Threads::Threads)
if(EXISTS "${root}/include/boringssl_prefix_symbols.h")
  set_property(TARGET pat_boringssl PROPERTY INTERFACE_COMPILE_DEFINITIONS BORINGSSL_PREFIX=pat)
endif()
