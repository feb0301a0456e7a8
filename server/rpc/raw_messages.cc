#include "server/rpc/raw_messages.h"

#include <grpc/slice.h>
#include <grpcpp/support/slice.h>

#include "server/core/error.h"

namespace pat {

absl::Status ParseRequest(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::Slice slice;
  const bool whole = bytes.TrySingleSlice(&slice).ok() || bytes.DumpToSingleSlice(&slice).ok();
  if (whole && message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the request cannot be decoded; it is not a message of this method", {.reason = "INVALID_REQUEST"});
}

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc_slice slice = grpc_slice_malloc(size);
  message.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(slice));
  const grpc::Slice owned(slice, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&owned, 1);
}

}  // namespace pat
