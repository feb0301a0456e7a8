#include "tests/support/controlled_facts_reader.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"

namespace pat {

void ControlledFactsReader::Find(const TokenDigest& digest, const FindOptions& options, FactsReceiver& receiver) {
  absl::Status failure;
  bool holding = false;
  {
    const absl::MutexLock lock(&mutex_);
    ++finds_;
    last_staleness_ = options.max_staleness;
    last_timeout_ = options.timeout;
    failure = failure_;
    holding = holding_;
  }
  if (!failure.ok() && !holding) return receiver.Receive(failure);
  if (!holding && most_fresh_for == absl::InfiniteDuration()) return source_.Find(digest, options, receiver);

  HeldAnswer held{.receiver = &receiver, .answer = {}};
  if (failure.ok()) {
    held.answer = Ask(source_, digest, options.max_staleness);
    held.answer.fresh_for = std::min(held.answer.fresh_for, most_fresh_for);
  } else {
    held.answer.status = failure;
  }
  if (!holding) return Tell(held);
  const absl::MutexLock lock(&mutex_);
  held_.push_back(std::move(held));
}

size_t ControlledFactsReader::finds() const {
  const absl::MutexLock lock(&mutex_);
  return finds_;
}

std::optional<absl::Duration> ControlledFactsReader::last_staleness() const {
  const absl::MutexLock lock(&mutex_);
  return last_staleness_;
}

std::optional<absl::Duration> ControlledFactsReader::last_timeout() const {
  const absl::MutexLock lock(&mutex_);
  return last_timeout_;
}

void ControlledFactsReader::Hold() {
  const absl::MutexLock lock(&mutex_);
  holding_ = true;
}

size_t ControlledFactsReader::held() const {
  const absl::MutexLock lock(&mutex_);
  return held_.size();
}

void ControlledFactsReader::ReleaseOldest(const absl::Status& instead) {
  HeldAnswer oldest{};
  {
    const absl::MutexLock lock(&mutex_);
    oldest = std::move(held_.front());
    held_.erase(held_.begin());
  }
  if (!instead.ok()) oldest.answer.status = instead;
  Tell(oldest);
}

void ControlledFactsReader::ReleaseNewest(const absl::Status& instead) {
  HeldAnswer newest{};
  {
    const absl::MutexLock lock(&mutex_);
    newest = std::move(held_.back());
    held_.pop_back();
  }
  if (!instead.ok()) newest.answer.status = instead;
  Tell(newest);
}

void ControlledFactsReader::Release(const absl::Status& instead) {
  std::vector<HeldAnswer> all;
  {
    const absl::MutexLock lock(&mutex_);
    holding_ = false;
    all.swap(held_);
  }
  for (HeldAnswer& held : all) {
    if (!instead.ok()) held.answer.status = instead;
    Tell(held);
  }
}

void ControlledFactsReader::FailWith(const absl::Status& status) {
  const absl::MutexLock lock(&mutex_);
  failure_ = status;
}

void ControlledFactsReader::Tell(const HeldAnswer& held) {
  const ReceivedFacts& kept = held.answer;
  if (!kept.status.ok()) return held.receiver->Receive(kept.status);
  held.receiver->Receive(FactsAnswer{.facts = kept.facts.has_value() ? &*kept.facts : nullptr,
                                     .source = kept.source,
                                     .now = kept.now,
                                     .read_time = kept.read_time,
                                     .fresh_until = kept.fresh_until,
                                     .fresh_for = kept.fresh_for});
}

}  // namespace pat
