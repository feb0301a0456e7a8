# The libraries this project stands on, each behind one name of ours, so that
# no other CMake file knows how a distribution packages them. Abseil alone keeps
# its own names (absl::strings, ...): every library lists the parts it uses.
#
# docs/dependencies.md says what each one is for.

# The library itself, without what it was linked with.
#
# gRPC::grpc++ and its kin list OpenSSL's libcrypto among their link
# dependencies. A shared library brings its dependencies at run time, so on our
# link lines libcrypto has no purpose; it would only offer a second definition of
# the functions we take from BoringSSL. For a static library the dependencies are
# needed and stay.
function(pat_import_without_dependencies name target)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY")
    target_include_directories(${name} SYSTEM INTERFACE
      $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
    target_link_libraries(${name} INTERFACE $<TARGET_FILE:${target}>)
  else()
    target_link_libraries(${name} INTERFACE ${target})
  endif()
endfunction()

# An alias that may point at an imported target of any scope.
function(pat_import name)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

find_package(absl CONFIG REQUIRED)

# Newer protobuf ships its own package file, Debian's is found by CMake's module.
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_package(Protobuf MODULE REQUIRED)
endif()
pat_import(pat::protobuf protobuf::libprotobuf)

find_package(gRPC CONFIG REQUIRED)
pat_import_without_dependencies(pat::grpc gRPC::grpc++)
pat_import_without_dependencies(pat::grpc_core gRPC::grpc)
pat_import_without_dependencies(pat::gpr gRPC::gpr)
# What gRPC's public headers use.
target_link_libraries(pat::grpc INTERFACE
  pat::grpc_core pat::gpr pat::protobuf Threads::Threads
  absl::cord absl::status absl::statusor absl::strings absl::synchronization absl::time)

# RocksDB's package file insists on the development files of five compression
# libraries, which only a static RocksDB needs.
find_path(PAT_ROCKSDB_INCLUDE_DIR rocksdb/db.h REQUIRED)
find_library(PAT_ROCKSDB_LIBRARY rocksdb REQUIRED)
mark_as_advanced(PAT_ROCKSDB_INCLUDE_DIR PAT_ROCKSDB_LIBRARY)
add_library(pat::rocksdb UNKNOWN IMPORTED GLOBAL)
set_target_properties(pat::rocksdb PROPERTIES
  IMPORTED_LOCATION "${PAT_ROCKSDB_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${PAT_ROCKSDB_INCLUDE_DIR}")
target_link_libraries(pat::rocksdb INTERFACE Threads::Threads)

find_package(yaml-cpp CONFIG REQUIRED)
if(TARGET yaml-cpp::yaml-cpp)  # 0.8 and later
  pat_import(pat::yaml yaml-cpp::yaml-cpp)
else()
  pat_import(pat::yaml yaml-cpp)
endif()

find_package(spdlog CONFIG REQUIRED)
pat_import(pat::spdlog spdlog::spdlog)

find_package(CLI11 CONFIG REQUIRED)
pat_import(pat::cli11 CLI11::CLI11)

find_package(ZLIB REQUIRED)
pat_import(pat::zlib ZLIB::ZLIB)

if(PAT_BUILD_TESTS)
  find_package(GTest CONFIG)
  find_package(benchmark CONFIG)
  if(NOT GTest_FOUND OR NOT benchmark_FOUND)
    message(FATAL_ERROR
      "GoogleTest and Google Benchmark are missing. Run deploy/setup.sh --tests, "
      "or configure with -DPAT_BUILD_TESTS=OFF.")
  endif()
endif()
