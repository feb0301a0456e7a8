# How targets are made here. Every library, program, test and benchmark of ours
# goes through one of these functions; nothing else sets a compile option.
#
#   pat_add_library(pat_core clock.cc clock.h DEPS absl::time PRIVATE_DEPS absl::strings)
#     A static library pat_core, also named pat::core. Without a .cc file it is a
#     header-only (INTERFACE) library. Includes read "server/core/clock.h": the
#     include root is the repository. DEPS are passed on to users, PRIVATE_DEPS
#     are only linked.
#
#   pat_add_executable(patd main.cc DEPS pat::ops)
#     A program in <build>/bin.
#
#   pat_add_test(pat_clock_test clock_test.cc DEPS pat::core [LABELS slow] [TIMEOUT 30]
#                [ENVIRONMENT A=b] [RUN_SERIAL])
#     A GoogleTest program in <build>/bin/tests, with main() and gmock, and one
#     ctest entry of the same name. TIMEOUT is in seconds, 60 unless said. The
#     folder of tests/ it is in (e2e, server, ...) is a label of it by itself.
#
#   pat_add_benchmark(pat_digest_benchmark digest_benchmark.cc DEPS pat::crypto)
#     A Google Benchmark program in <build>/bin/benchmarks. Not run by ctest.

# Warnings are for our own code: dependencies and generated code are not ours to
# mend.
function(pat_set_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<BOOL:${PAT_WERROR}>:-Werror>)
endfunction()

if(PAT_SANITIZE MATCHES "thread")
  add_library(pat_sanitizer_support OBJECT
    "${PROJECT_SOURCE_DIR}/cmake/sanitizers/tsan_shared_libraries.cc")
  target_link_libraries(pat_sanitizer_support PRIVATE pat::grpc absl::synchronization)
  pat_set_warnings(pat_sanitizer_support)
endif()

function(pat_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;PRIVATE_DEPS")
  set(sources ${arg_UNPARSED_ARGUMENTS})
  set(compiled ${sources})
  list(FILTER compiled INCLUDE REGEX "\\.(cc|c)$")
  if(compiled)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
    pat_set_warnings(${name})
  else()
    add_library(${name} INTERFACE ${sources})
    target_include_directories(${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} INTERFACE ${arg_DEPS} ${arg_PRIVATE_DEPS})
  endif()
  string(REGEX REPLACE "^pat_" "" short_name ${name})
  add_library(pat::${short_name} ALIAS ${name})
endfunction()

function(pat_add_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  if(TARGET pat_sanitizer_support)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:pat_sanitizer_support>)
  endif()
  pat_set_warnings(${name})
endfunction()

function(pat_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RUN_SERIAL" "TIMEOUT" "DEPS;LABELS;ENVIRONMENT")
  set(sources ${arg_UNPARSED_ARGUMENTS})
  pat_add_executable(${name} ${sources} DEPS ${arg_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests")

  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/tests" OUTPUT_VARIABLE folder)
  string(REGEX REPLACE "/.*" "" folder "${folder}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    LABELS "${folder};${arg_LABELS}"
    RUN_SERIAL ${arg_RUN_SERIAL}
    ENVIRONMENT "${PAT_SANITIZER_ENVIRONMENT};${arg_ENVIRONMENT}")

  list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
  set_property(GLOBAL APPEND PROPERTY PAT_TEST_SOURCES ${sources})
endfunction()

function(pat_add_benchmark name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS")
  pat_add_executable(${name} ${arg_UNPARSED_ARGUMENTS}
    DEPS ${arg_DEPS} benchmark::benchmark benchmark::benchmark_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/benchmarks")
endfunction()

# A test file that is in no CMakeLists.txt is a test that never fails. Adds the
# ctest entry that finds such files. Call it once, after the last pat_add_test.
function(pat_check_all_tests_registered)
  get_property(sources GLOBAL PROPERTY PAT_TEST_SOURCES)
  file(WRITE "${PROJECT_BINARY_DIR}/registered_tests.txt" "${sources}")
  add_test(NAME every_test_file_is_registered
    COMMAND "${CMAKE_COMMAND}"
      "-DROOT=${PROJECT_SOURCE_DIR}/tests"
      "-DREGISTERED=${PROJECT_BINARY_DIR}/registered_tests.txt"
      -P "${PROJECT_SOURCE_DIR}/cmake/CheckTestsRegistered.cmake")
endfunction()
