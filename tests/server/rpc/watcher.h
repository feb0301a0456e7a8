// Watcher: a client of WatchRevocations, for one thread.
#ifndef PAT_TESTS_SERVER_RPC_WATCHER_H_
#define PAT_TESTS_SERVER_RPC_WATCHER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pat/v1/introspection_service.grpc.pb.h"
#include "tests/server/rpc/status_details.h"

namespace pat {

class Watcher {
 public:
  Watcher(v1::IntrospectionService::Stub& stub, const std::string& resume_token, const Metadata& metadata = {}) {
    for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
    v1::WatchRevocationsRequest request;
    request.set_resume_token(resume_token);
    reader_ = stub.WatchRevocations(&context_, request);
  }
  ~Watcher() {
    if (reader_ == nullptr) return;
    context_.TryCancel();
    Finish();
  }

  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // The next message; waits. Nullopt: the stream has ended.
  std::optional<v1::WatchRevocationsResponse> NextMessage() {
    v1::WatchRevocationsResponse message;
    if (!reader_->Read(&message)) return std::nullopt;
    resume_token_ = message.resume_token();
    return message;
  }

  // The same as text: "heartbeat", "tokens <uid> <uid>", "users/ada", "all", "reset", "end".
  std::string Next() {
    const std::optional<v1::WatchRevocationsResponse> message = NextMessage();
    if (!message.has_value()) return "end";
    switch (message->event_case()) {
      case v1::WatchRevocationsResponse::kTokens:
        return absl::StrCat("tokens ", absl::StrJoin(message->tokens().uids(), " "));
      case v1::WatchRevocationsResponse::kOwner:
        return message->owner().sub();
      case v1::WatchRevocationsResponse::kAll:
        return "all";
      case v1::WatchRevocationsResponse::kReset:
        return "reset";
      case v1::WatchRevocationsResponse::kHeartbeat:
        return "heartbeat";
      case v1::WatchRevocationsResponse::EVENT_NOT_SET:
        break;
    }
    return "nothing";
  }

  // Of the last message.
  const std::string& resume_token() const { return resume_token_; }

  void Cancel() { context_.TryCancel(); }

  // Waits for the end; what was not read is left.
  grpc::Status Finish() {
    v1::WatchRevocationsResponse message;
    while (reader_->Read(&message)) {
    }
    grpc::Status status = reader_->Finish();
    reader_ = nullptr;
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchRevocationsResponse>> reader_;
  std::string resume_token_;
};

}  // namespace pat

#endif  // PAT_TESTS_SERVER_RPC_WATCHER_H_
