#include "server/core/change_feed.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace pat {
namespace {

constexpr absl::string_view kTokenForm = "v1.";

// The first of a page that begin a message of tokens: whole mutations if possible.
size_t CountTokens(const std::vector<Change>& changes, size_t begin) {
  size_t end = begin;
  while (end < changes.size() && end - begin < kMaxTokensInMessage && changes[end].kind == Change::Kind::kToken) ++end;
  if (end == changes.size()) return end - begin;
  // Back to where the mutation began that does not fit, unless it is the first.
  size_t whole = end;
  while (whole > begin && changes[whole - 1].sequence == changes[end].sequence) --whole;
  return (whole > begin ? whole : end) - begin;
}

}  // namespace

ChangeFeed::ChangeFeed(const TokenReader& store) : store_(store), incarnation_(store.Incarnation()) {}

FeedPosition ChangeFeed::Begin(absl::string_view resume_token) const {
  if (resume_token.empty()) return {.sequence = store_.DurableSequence()};
  uint64_t sequence = 0;
  // Exactly what ResumeToken() writes, so that a token that was cut is not another one.
  const bool is_ours = absl::ConsumePrefix(&resume_token, kTokenForm) &&
                       absl::ConsumePrefix(&resume_token, incarnation_) && absl::ConsumePrefix(&resume_token, ".") &&
                       absl::SimpleAtoi(resume_token, &sequence) && absl::StrCat(sequence) == resume_token;
  if (!is_ours) return {.lost = true};
  return {.sequence = sequence};
}

std::string ChangeFeed::ResumeToken(const FeedPosition& position) const {
  return absl::StrCat(kTokenForm, incarnation_, ".", position.sequence);
}

absl::StatusOr<FeedMessage> ChangeFeed::Next(const FeedPosition& position) const {
  FeedMessage message;
  if (position.lost) {
    message.kind = FeedMessage::Kind::kReset;
    message.next = {.sequence = store_.DurableSequence()};
    return message;
  }
  absl::StatusOr<ChangePage> page = store_.ListChanges(position.sequence, kMaxTokensInMessage + position.told);
  if (!page.ok()) return page.status();
  if (page->truncated) {
    message.kind = FeedMessage::Kind::kReset;
    message.next = {.sequence = page->up_to};
    return message;
  }
  const std::vector<Change>& changes = page->changes;
  size_t begin = std::min(position.told, changes.size());
  // What comes before "everything" need not be told.
  for (size_t i = changes.size(); i > begin; --i) {
    if (changes[i - 1].kind != Change::Kind::kEverything) continue;
    begin = i - 1;
    break;
  }
  size_t end = begin;
  if (begin < changes.size()) {
    switch (changes[begin].kind) {
      case Change::Kind::kToken:
        message.kind = FeedMessage::Kind::kTokens;
        end = begin + CountTokens(changes, begin);
        for (size_t i = begin; i < end; ++i) message.tokens.push_back(changes[i].token);
        break;
      case Change::Kind::kOwner:
        message.kind = FeedMessage::Kind::kOwner;
        message.owner_id = changes[begin].owner_id;
        ++end;
        break;
      case Change::Kind::kEverything:
        message.kind = FeedMessage::Kind::kEverything;
        ++end;
        break;
    }
  }
  if (end == changes.size()) {
    message.next.sequence = page->up_to;
    message.more = page->up_to < store_.DurableSequence();
    return message;
  }
  message.more = true;
  // The mutation of the first change that is not told yet, and how much of it is.
  size_t first = end;
  while (first > 0 && changes[first - 1].sequence == changes[end].sequence) --first;
  message.next.sequence = first > 0 ? changes[first - 1].sequence : position.sequence;
  message.next.told = end - first;
  return message;
}

}  // namespace pat
