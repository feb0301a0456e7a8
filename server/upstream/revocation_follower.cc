#include "server/upstream/revocation_follower.h"

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/strip.h"
#include "server/core/resource_name.h"
#include "store/uid.h"

namespace pat {
namespace {

constexpr size_t kLongestResumeToken = 256;

}  // namespace

absl::string_view IncarnationOf(absl::string_view resume_token) {
  if (!absl::ConsumePrefix(&resume_token, "v1.")) return {};
  const size_t end = resume_token.rfind('.');
  return end == absl::string_view::npos ? absl::string_view() : resume_token.substr(0, end);
}

// Without a place to go on from, the authority's first message says from where on it tells everything. What was loaded
// before that message is not covered.
void RevocationFollower::BeginStream() { must_drop_all_ = resume_token_.empty(); }

bool RevocationFollower::Apply(const v1::WatchRevocationsResponse& message) {
  const absl::string_view before = IncarnationOf(resume_token_);
  const bool is_another_store =
      !before.empty() && !message.resume_token().empty() && IncarnationOf(message.resume_token()) != before;
  // One that makes no sense has said something: what, nobody knows.
  bool dropped = false;
  if (must_drop_all_ || is_another_store) {
    dropped = DropAll();
  } else {
    dropped = ApplyEvent(message);
  }
  must_drop_all_ = false;
  TakeResumeToken(message.resume_token());
  return dropped;
}

bool RevocationFollower::ApplyEvent(const v1::WatchRevocationsResponse& message) {
  switch (message.event_case()) {
    case v1::WatchRevocationsResponse::kHeartbeat:
      return false;
    case v1::WatchRevocationsResponse::kTokens:
      return ApplyTokens(message.tokens());
    case v1::WatchRevocationsResponse::kOwner: {
      absl::string_view owner_id = message.owner().sub();
      if (!absl::ConsumePrefix(&owner_id, "users/") || !IsUserId(owner_id)) return DropAll();
      sink_.DropOwner(owner_id);
      return true;
    }
    case v1::WatchRevocationsResponse::kAll:
    case v1::WatchRevocationsResponse::kReset:
    case v1::WatchRevocationsResponse::EVENT_NOT_SET:  // Of a kind that a later version knows.
      break;
  }
  return DropAll();
}

bool RevocationFollower::ApplyTokens(const v1::WatchRevocationsResponse::Tokens& tokens) {
  std::vector<TokenUid> uids;
  uids.reserve(tokens.uids_size());
  for (const std::string& text : tokens.uids()) {
    const std::optional<TokenUid> uid = TokenUid::Parse(text);
    if (!uid.has_value()) return DropAll();
    uids.push_back(*uid);
  }
  for (const TokenUid& uid : uids) sink_.Drop(uid);
  return !uids.empty();
}

bool RevocationFollower::DropAll() {
  sink_.DropAll();
  return true;
}

// A message without one leaves the place as it is: what follows it is then told twice.
void RevocationFollower::TakeResumeToken(const std::string& token) {
  if (token.empty()) return;
  resume_token_ = token.size() <= kLongestResumeToken ? token : std::string();
}

}  // namespace pat
