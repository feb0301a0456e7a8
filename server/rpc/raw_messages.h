// Messages of raw methods: from the bytes of a request, and to the one slice of an answer.
//
// Threads: pure functions.
#ifndef PAT_SERVER_RPC_RAW_MESSAGES_H_
#define PAT_SERVER_RPC_RAW_MESSAGES_H_

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/status/status.h"

namespace pat {

// INVALID_ARGUMENT if the bytes are no such message.
absl::Status ParseRequest(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message);

}  // namespace pat

#endif  // PAT_SERVER_RPC_RAW_MESSAGES_H_
