# Language level, code generation and hardening for everything in this build,
# generated code included. Warnings are not here: they are for our own targets
# only (PatTargets.cmake).

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

# Line tables only: stack traces stay readable at a fifth of the size of -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

find_program(PAT_CCACHE ccache DOC "Compiler cache, used when present")
if(PAT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${PAT_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PAT_CCACHE}")
endif()

include(CheckPIESupported)
check_pie_supported()

add_compile_options(-fstack-protector-strong)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-Wl,-z,relro -Wl,-z,now)
if(NOT PAT_SANITIZE)
  # A sanitizer's program may need a library that it has no undefined symbol of
  # (cmake/sanitizers/tsan_shared_libraries.cc).
  add_link_options(-Wl,--as-needed)
endif()

if(PAT_SANITIZE)
  # -O1: fast enough to run the whole suite, frames still one to one.
  add_compile_options(
    "-fsanitize=${PAT_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
  add_link_options("-fsanitize=${PAT_SANITIZE}")
  # How the tests run (PatTargets.cmake).
  set(PAT_SANITIZER_ENVIRONMENT
    "ASAN_OPTIONS=strict_string_checks=1"
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/cmake/sanitizers/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1")
elseif(CMAKE_BUILD_TYPE MATCHES "^Rel|^MinSizeRel$")
  # Not with sanitizers (they replace the same functions) and not at -O0
  # (it has no effect there except a warning).
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
