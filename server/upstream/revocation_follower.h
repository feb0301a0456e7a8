// RevocationFollower: what a sidecar does with the messages of WatchRevocations, and from where it goes on after the
// stream was lost. No network, no clock.
//
// Nothing is missed: a stream that goes on from the last resume_token brings what came meanwhile. Where that cannot be
// said (the first stream, `reset`, another incarnation of the store, a message that makes no sense), everything loaded
// until then is dropped. Being told of something twice does no harm.
//
// Threads: none of its own.
#ifndef PAT_SERVER_UPSTREAM_REVOCATION_FOLLOWER_H_
#define PAT_SERVER_UPSTREAM_REVOCATION_FOLLOWER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "pat/v1/introspection_service.pb.h"
#include "server/cache/revocation_sink.h"

namespace pat {

class RevocationFollower {
 public:
  // `sink` must outlive this object.
  explicit RevocationFollower(RevocationSink& sink) : sink_(sink) {}

  // For WatchRevocationsRequest. Empty: from now on.
  const std::string& resume_token() const { return resume_token_; }

  // A stream was asked for with that token; the messages that follow are its.
  void BeginStream();

  // Returns when what the message says is done. True: it told to drop something.
  bool Apply(const v1::WatchRevocationsResponse& message);

 private:
  bool ApplyEvent(const v1::WatchRevocationsResponse& message);
  bool ApplyTokens(const v1::WatchRevocationsResponse::Tokens& tokens);
  bool DropAll();
  void TakeResumeToken(const std::string& token);

  RevocationSink& sink_;
  std::string resume_token_;
  bool must_drop_all_ = true;  // At the first message of this stream.
};

// The middle part of a resume token of this product's, "v1.<incarnation>.<sequence>"; empty if it is another text.
absl::string_view IncarnationOf(absl::string_view resume_token);

}  // namespace pat

#endif  // PAT_SERVER_UPSTREAM_REVOCATION_FOLLOWER_H_
