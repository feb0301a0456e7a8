# cmake -DARCHIVE=libcrypto.a -DHEADER=out.h -DNM=nm -DOBJCOPY=objcopy -P prefix_symbols.cmake
# Renames each symbol X that ARCHIVE defines to pat_X, in place, and writes the
# header that renames it for the compiler too.

cmake_minimum_required(VERSION 3.25)

execute_process(
  COMMAND "${NM}" --defined-only --extern-only --format=posix "${ARCHIVE}"
  OUTPUT_VARIABLE listing
  COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "(^|\n)[A-Za-z_][A-Za-z0-9_]* [A-Za-z] " symbols "${listing}")
list(TRANSFORM symbols REPLACE "^\n?([^ ]+) . $" "\\1")
list(REMOVE_DUPLICATES symbols)
list(SORT symbols)

set(renames)
set(defines)
foreach(symbol IN LISTS symbols)
  string(APPEND renames "${symbol} pat_${symbol}\n")
  string(APPEND defines "#define ${symbol} pat_${symbol}\n")
endforeach()

file(WRITE "${HEADER}.renames" "${renames}")
execute_process(
  COMMAND "${OBJCOPY}" "--redefine-syms=${HEADER}.renames" "${ARCHIVE}"
  COMMAND_ERROR_IS_FATAL ANY)
file(WRITE "${HEADER}" "// Generated: the symbols of libcrypto.a and their names in it.\n${defines}")
