# cmake -DROOT=<tests/> -DREGISTERED=<list file> -P CheckTestsRegistered.cmake
# Fails, naming them, if files *_test.cc under ROOT are not in the list.

cmake_minimum_required(VERSION 3.25)
file(READ "${REGISTERED}" registered)
file(GLOB_RECURSE missing "${ROOT}/*_test.cc")
list(REMOVE_ITEM missing ${registered})
if(missing)
  list(JOIN missing "\n  " missing)
  message(FATAL_ERROR "In no pat_add_test():\n  ${missing}")
endif()
