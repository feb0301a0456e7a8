# C++ from .proto files, generated into the build tree.
#
#   pat_add_proto_library(pat_proto
#     PROTOS pat/v1/token_service.proto pat/v1/user_service.proto
#     [GRPC]
#     [DEPS pat::other_proto])
#
# makes the static library pat_proto, also named pat::proto. Files are named, and
# import each other, relative to the directory of the calling CMakeLists.txt
# (proto/); includes read "pat/v1/token_service.pb.h". With GRPC every file's
# services get a "….grpc.pb.h" too. A file recompiles when anything it imports
# changes. The code is not ours: no warnings, and its headers are system headers.
#
# The target generated_sources makes all of it without compiling anything.

add_custom_target(generated_sources)

function(pat_add_proto_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "GRPC" "" "PROTOS;DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "pat_add_proto_library(${name}): unknown ${arg_UNPARSED_ARGUMENTS}")
  endif()

  set(root "${CMAKE_CURRENT_SOURCE_DIR}")
  set(out "${CMAKE_CURRENT_BINARY_DIR}")
  set(sources)
  foreach(proto IN LISTS arg_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
    set(generated "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h")
    set(plugin)
    if(arg_GRPC)
      # In front: ninja wants the depfile to begin with the first output, and protoc
      # writes them sorted. In another order everything is stale, each time.
      list(PREPEND generated "${out}/${stem}.grpc.pb.cc" "${out}/${stem}.grpc.pb.h")
      set(plugin "--grpc_out=${out}" "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
    endif()
    add_custom_command(
      OUTPUT ${generated}
      COMMAND protobuf::protoc "--proto_path=${root}" "--cpp_out=${out}" ${plugin}
        "--dependency_out=${out}/${stem}.pb.d" "${root}/${proto}"
      DEPENDS "${root}/${proto}" protobuf::protoc
      DEPFILE "${out}/${stem}.pb.d"
      COMMENT "Generating C++ from ${proto}"
      VERBATIM)
    list(APPEND sources ${generated})
  endforeach()

  add_custom_target(${name}_generated DEPENDS ${sources})
  add_dependencies(generated_sources ${name}_generated)

  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC "${out}")
  target_link_libraries(${name} PUBLIC pat::protobuf $<$<BOOL:${arg_GRPC}>:pat::grpc> ${arg_DEPS})
  string(REGEX REPLACE "^pat_" "" short_name ${name})
  add_library(pat::${short_name} ALIAS ${name})
endfunction()
