// Users, tokens and mutations in one line each. Names are derived from numbers, so that a test says what it means:
// UserNumber(1) is always the same user, and TokenNumber(2, user) always the same token.
#ifndef PAT_TESTS_STORE_RECORDS_FOR_TESTS_H_
#define PAT_TESTS_STORE_RECORDS_FOR_TESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/records.h"
#include "store/token_store.h"

namespace pat {

// The instant that tests count from, and later ones.
inline absl::Time StartTime() { return absl::FromUnixSeconds(1'700'000'000); }
inline absl::Time At(int seconds) { return StartTime() + absl::Seconds(seconds); }

TokenUid TokenUidNumber(uint64_t number);
UserUid UserUidNumber(uint64_t number);
TokenHmac HmacNumber(uint64_t number);

// A local user "user-<number>".
UserRecord UserNumber(uint64_t number);

// A token "token-<number>" of this owner in its current epoch, with HmacNumber(number), made at StartTime(), that
// expires at At(1000). create_sequence and change_sequence are 0: see Insert.
TokenRecord TokenNumber(uint64_t number, const UserRecord& owner);

// One mutation each. Insert gives the token the mutation's number, in the store and in `token`.
absl::Status Insert(TokenStore& store, TokenRecord& token);
absl::Status Put(TokenStore& store, const TokenRecord& token);
absl::Status Put(TokenStore& store, const UserRecord& user);
absl::Status Delete(TokenStore& store, const TokenUid& uid);
// How many were not revoked before. A failure fails the test.
uint64_t RevokeAll(TokenStore& store, const std::optional<UserUid>& owner, absl::Time time);
uint64_t DeleteUser(TokenStore& store, const UserUid& uid, absl::Time time);

// Runs `ask` in a mutation that leaves nothing.
void Ask(TokenStore& store, absl::FunctionRef<void(TokenTransaction&)> ask);

// The numbers of tokens, for comparing lists at a glance.
uint64_t NumberOf(const TokenUid& uid);
std::vector<uint64_t> NumbersOf(const std::vector<TokenRecord>& tokens);
std::vector<uint64_t> NumbersOf(const std::vector<TokenUid>& uids);

// The record under HmacNumber(number), or nothing; errors fail the test.
std::optional<TokenSnapshot> FindNumber(const TokenReader& store, uint64_t number);

// All tokens that a query gives, through pages of two.
std::vector<uint64_t> ListAll(const TokenReader& store, TokenQuery query);

}  // namespace pat

#endif  // PAT_TESTS_STORE_RECORDS_FOR_TESTS_H_
