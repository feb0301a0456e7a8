// What crash_writer does and crash_test expects, in one place.
#ifndef PAT_TESTS_STORE_ROCKSDB_CRASH_PROTOCOL_H_
#define PAT_TESTS_STORE_ROCKSDB_CRASH_PROTOCOL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "store/records.h"

namespace pat {

inline constexpr int kCrashWorkers = 4;

inline constexpr char kCreate[] = "create";
inline constexpr char kRevoke[] = "revoke";
inline constexpr char kRegenerate[] = "regenerate";
inline constexpr char kDelete[] = "delete";
inline constexpr char kEnd[] = "end";  // Of all tokens of a worker's user at once; the number is the worker's.
inline constexpr char kUse[] = "use";  // Committed without sync: may be lost, and disturbs nothing.

// A token belongs to the user of the worker that makes it, and that worker alone changes it.
inline uint64_t FirstNumber(uint64_t seed) { return (seed % 1'000'000) * 100; }
inline uint64_t WorkerOf(uint64_t number) { return number / 100 % kCrashWorkers; }
inline uint64_t UserOf(uint64_t worker) { return worker + 1; }

// A token's HMAC is HmacNumber(number) or, after every odd regeneration, HmacNumber(number + kRegenerated).
inline constexpr uint64_t kRegenerated = 1'000'000'000;

inline uint64_t NumberOfHmac(const TokenHmac& hmac) {
  uint64_t number = 0;
  for (size_t i = hmac.mac.size() - 8; i < hmac.mac.size(); ++i) number = (number << 8) | hmac.mac[i];
  return number;
}

// The state of one token; a token that does not exist has none.
struct CrashState {
  bool revoked = false;
  bool regenerated = false;

  friend bool operator==(const CrashState&, const CrashState&) = default;
};

// Tokens by number.
class CrashModel {
 public:
  std::optional<CrashState> Get(uint64_t number) const {
    const auto it = tokens_.find(number);
    return it == tokens_.end() ? std::nullopt : std::optional<CrashState>(it->second);
  }

  // The state after an operation.
  static std::optional<CrashState> After(std::optional<CrashState> state, const std::string& op) {
    if (op == kCreate) return CrashState{};
    if (op == kDelete || !state.has_value()) return std::nullopt;
    if (op == kRevoke) state->revoked = true;
    if (op == kRegenerate) state->regenerated = !state->regenerated;
    return state;
  }

  void Set(uint64_t number, const std::optional<CrashState>& state) {
    tokens_.erase(number);
    if (state.has_value()) tokens_.emplace(number, *state);
  }
  void Apply(const std::string& op, uint64_t number) {
    if (op == kUse) return;
    ++history_[Noted(op, number)];
    if (op == kEnd) {
      EndAll([number](uint64_t token) { return WorkerOf(token) == number; });
    } else {
      Set(number, After(Get(number), op));
    }
  }

  // Revokes all tokens that `is_meant`; how many were not revoked.
  template <typename Predicate>
  uint64_t EndAll(Predicate is_meant) {
    uint64_t count = 0;
    for (auto& [number, state] : tokens_) {
      if (!is_meant(number) || state.revoked) continue;
      state.revoked = true;
      ++count;
    }
    return count;
  }

  // What the audit row of an operation says.
  static std::string Noted(const std::string& op, uint64_t number) { return op + " " + std::to_string(number); }
  // How often each operation was done.
  const std::map<std::string, uint64_t>& history() const { return history_; }

  // An operation that makes sense for the token as it is; empty: none.
  std::string DrawOp(uint64_t number, uint64_t random) const {
    const std::optional<CrashState> state = Get(number);
    if (!state.has_value()) return kCreate;
    if (state->revoked) return random % 4 == 0 ? kDelete : "";
    return random % 3 == 0 ? kRevoke : kRegenerate;
  }

  const std::map<uint64_t, CrashState>& tokens() const { return tokens_; }

 private:
  std::map<uint64_t, CrashState> tokens_;
  std::map<std::string, uint64_t> history_;
};

}  // namespace pat

#endif  // PAT_TESTS_STORE_ROCKSDB_CRASH_PROTOCOL_H_
