#include "server/authn/attempt_limiter.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/crypto/bytes.h"

namespace pat {
namespace {

constexpr size_t kNetworkBytes = 8;  // Of an IPv6 address: a /64.

// "[2001:db8::1%25eth0]:47110", as gRPC writes it or with %5B and %5D, to the address alone.
std::string Ipv6Address(absl::string_view peer) {
  const std::string text = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  absl::string_view address = text;
  if (absl::ConsumePrefix(&address, "[")) address = address.substr(0, address.find(']'));
  return std::string(address.substr(0, address.find('%')));
}

}  // namespace

std::string AttemptPeerOf(absl::string_view transport_peer) {
  absl::string_view rest = transport_peer;
  if (absl::ConsumePrefix(&rest, "ipv4:")) return absl::StrCat("ipv4:", rest.substr(0, rest.find(':')));
  if (!absl::ConsumePrefix(&rest, "ipv6:")) return std::string(transport_peer);
  const std::string address = Ipv6Address(rest);
  in6_addr parsed{};
  if (inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return absl::StrCat("ipv6:", address);
  std::array<char, INET_ADDRSTRLEN> ipv4{};
  if (IN6_IS_ADDR_V4MAPPED(&parsed) &&
      inet_ntop(AF_INET, &parsed.s6_addr[12], ipv4.data(), static_cast<socklen_t>(ipv4.size())) != nullptr) {
    return absl::StrCat("ipv4:", ipv4.data());
  }
  return absl::StrCat("ipv6:", absl::BytesToHexString({reinterpret_cast<const char*>(parsed.s6_addr), kNetworkBytes}),
                      "/64");
}

// ---- The failures of one kind.

AttemptLimiter::Failures::Entry* AttemptLimiter::Failures::Find(const Sha256Digest& whose, absl::Time now) {
  const auto found = by_whose_.find(whose);
  if (found == by_whose_.end() || now >= found->second->window_start + limits_.window) return nullptr;
  return &*found->second;
}

absl::Duration AttemptLimiter::Failures::DelayAfter(int failures) const {
  if (failures < limit_.free_failures) return absl::ZeroDuration();
  absl::Duration delay = limit_.first_delay;
  for (int i = limit_.free_failures; i < failures && delay < limit_.longest_delay; ++i) delay *= 2;
  return std::min(delay, limit_.longest_delay);
}

absl::Duration AttemptLimiter::Failures::Wait(const Sha256Digest& whose, absl::Time now) {
  const Entry* const entry = Find(whose, now);
  return entry == nullptr ? absl::ZeroDuration() : std::max(entry->not_before - now, absl::ZeroDuration());
}

void AttemptLimiter::Failures::TakeTurn(const Sha256Digest& whose, const Sha256Digest& attempt, absl::Time now) {
  Entry* const entry = Find(whose, now);
  if (entry == nullptr || entry->failures < limit_.free_failures) return;
  entry->not_before = now + DelayAfter(entry->failures);
  entry->turn_of = attempt;
}

void AttemptLimiter::Failures::GiveTurnBack(const Sha256Digest& whose, const Sha256Digest& attempt, absl::Time now) {
  Entry* const entry = Find(whose, now);
  // It waits for a failure, or for another attempt, and goes on waiting.
  if (entry == nullptr || entry->turn_of != attempt) return;
  entry->not_before = now;
  entry->turn_of.reset();
}

void AttemptLimiter::Failures::Add(const Sha256Digest& whose, absl::Time now) {
  Entry entry{.whose = whose, .window_start = now};
  if (const Entry* const known = Find(whose, now)) entry = *known;
  ++entry.failures;
  entry.turn_of.reset();
  entry.not_before = now + DelayAfter(entry.failures);
  Forget(whose);
  entries_.push_front(entry);
  by_whose_[whose] = entries_.begin();
  if (entries_.size() > limits_.most_remembered) Forget(Sha256Digest(entries_.back().whose));
}

void AttemptLimiter::Failures::Forget(const Sha256Digest& whose) {
  const auto found = by_whose_.find(whose);
  if (found == by_whose_.end()) return;
  entries_.erase(found->second);
  by_whose_.erase(found);
}

// ---- Who was right.

bool AttemptLimiter::Known::Has(const Sha256Digest& user_and_peer, absl::Time now) const {
  const auto found = by_key_.find(user_and_peer);
  return found != by_key_.end() && now < found->second->right_at + limits_.known_for;
}

void AttemptLimiter::Known::Add(const Sha256Digest& user_and_peer, absl::Time now) {
  if (const auto found = by_key_.find(user_and_peer); found != by_key_.end()) entries_.erase(found->second);
  entries_.push_front({user_and_peer, now});
  by_key_[user_and_peer] = entries_.begin();
  if (entries_.size() <= limits_.most_remembered) return;
  by_key_.erase(entries_.back().user_and_peer);
  entries_.pop_back();
}

// ---- All together.

AttemptLimiter::AttemptLimiter(const AttemptLimits& limits, HmacSha256Key key, const Clock& clock)
    : limits_(limits),
      key_(std::move(key)),
      clock_(clock),
      of_user_and_peer_(limits_.user_and_peer, limits_),
      of_peer_(limits_.peer, limits_),
      known_(limits_) {}

AttemptLimiter::Keys AttemptLimiter::KeysOf(absl::string_view user, absl::string_view peer) const {
  // The length keeps "a" and "bc" apart from "ab" and "c".
  const std::string both = absl::StrCat(peer.size(), ":", peer, user);
  return {.user_and_peer = key_.Mac(AsBytes(both)), .peer = key_.Mac(AsBytes(peer))};
}

absl::Duration AttemptLimiter::Begin(absl::string_view user, absl::string_view peer) {
  const Keys keys = KeysOf(user, peer);
  const absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  const bool is_known = known_.Has(keys.user_and_peer, now);
  absl::Duration wait = of_user_and_peer_.Wait(keys.user_and_peer, now);
  if (!is_known) wait = std::max(wait, of_peer_.Wait(keys.peer, now));
  if (wait > absl::ZeroDuration()) return wait;
  of_user_and_peer_.TakeTurn(keys.user_and_peer, keys.user_and_peer, now);
  if (!is_known) of_peer_.TakeTurn(keys.peer, keys.user_and_peer, now);
  return absl::ZeroDuration();
}

void AttemptLimiter::Wrong(absl::string_view user, absl::string_view peer) {
  const Keys keys = KeysOf(user, peer);
  const absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  of_user_and_peer_.Add(keys.user_and_peer, now);
  of_peer_.Add(keys.peer, now);
}

void AttemptLimiter::Neither(absl::string_view user, absl::string_view peer) {
  const Keys keys = KeysOf(user, peer);
  const absl::MutexLock lock(&mutex_);
  const absl::Time now = clock_.Now();
  of_user_and_peer_.GiveTurnBack(keys.user_and_peer, keys.user_and_peer, now);
  of_peer_.GiveTurnBack(keys.peer, keys.user_and_peer, now);
}

void AttemptLimiter::Right(absl::string_view user, absl::string_view peer) {
  const Keys keys = KeysOf(user, peer);
  const absl::MutexLock lock(&mutex_);
  of_user_and_peer_.Forget(keys.user_and_peer);
  const absl::Time now = clock_.Now();
  of_peer_.GiveTurnBack(keys.peer, keys.user_and_peer, now);
  known_.Add(keys.user_and_peer, now);
}

size_t AttemptLimiter::remembered() const {
  const absl::MutexLock lock(&mutex_);
  return of_user_and_peer_.size() + of_peer_.size() + known_.size();
}

}  // namespace pat
