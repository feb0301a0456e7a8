#include "tests/store/records_for_tests.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace pat {
namespace {

// The number in the last eight bytes.
template <typename Array>
void Fill(Array& bytes, uint64_t number) {
  for (size_t i = 0; i < 8; ++i) bytes[bytes.size() - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
}

}  // namespace

TokenUid TokenUidNumber(uint64_t number) {
  TokenUid uid;
  Fill(uid.bytes, number);
  return uid;
}

UserUid UserUidNumber(uint64_t number) {
  UserUid uid;
  uid.bytes[0] = 0xff;  // The greatest first byte: ends of ranges must cope with it.
  Fill(uid.bytes, number);
  return uid;
}

TokenHmac HmacNumber(uint64_t number) {
  TokenHmac hmac;
  hmac.pepper_id[0] = 1;
  Fill(hmac.mac, number);
  return hmac;
}

UserRecord UserNumber(uint64_t number) {
  UserRecord user;
  user.uid = UserUidNumber(number);
  user.id = absl::StrCat("user-", number);
  user.grants = {"*"};
  user.create_time = StartTime();
  return user;
}

TokenRecord TokenNumber(uint64_t number, const UserRecord& owner) {
  TokenRecord token;
  token.uid = TokenUidNumber(number);
  token.owner = owner.uid;
  token.owner_id = owner.id;
  token.display_name = absl::StrCat("token-", number);
  token.description = "made by a test";
  token.scopes = {"alerts:read", "services:read"};
  token.create_time = StartTime();
  token.expire_time = At(1000);
  token.hmac = HmacNumber(number);
  token.epochs.owner = owner.token_epoch;
  return token;
}

absl::Status Insert(TokenStore& store, TokenRecord& token) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    token.create_sequence = token.change_sequence = transaction.Sequence();
    if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
    return Decision::kCommit;
  });
}

absl::Status Put(TokenStore& store, const TokenRecord& token) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (absl::Status put = transaction.PutToken(token); !put.ok()) return put;
    return Decision::kCommit;
  });
}

absl::Status Put(TokenStore& store, const UserRecord& user) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (absl::Status put = transaction.PutUser(user); !put.ok()) return put;
    return Decision::kCommit;
  });
}

absl::Status Delete(TokenStore& store, const TokenUid& uid) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    if (absl::Status deleted = transaction.DeleteToken(uid); !deleted.ok()) return deleted;
    return Decision::kCommit;
  });
}

uint64_t RevokeAll(TokenStore& store, const std::optional<UserUid>& owner, absl::Time time) {
  uint64_t count = 0;
  EXPECT_EQ(store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const absl::StatusOr<uint64_t> revoked = transaction.RevokeAll(owner, time);
    if (!revoked.ok()) return revoked.status();
    count = *revoked;
    return Decision::kCommit;
  }),
            absl::OkStatus());
  return count;
}

uint64_t DeleteUser(TokenStore& store, const UserUid& uid, absl::Time time) {
  uint64_t count = 0;
  EXPECT_EQ(store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    const absl::StatusOr<uint64_t> revoked = transaction.DeleteUser(uid, time);
    if (!revoked.ok()) return revoked.status();
    count = *revoked;
    return Decision::kCommit;
  }),
            absl::OkStatus());
  return count;
}

void Ask(TokenStore& store, absl::FunctionRef<void(TokenTransaction&)> ask) {
  EXPECT_EQ(store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    ask(transaction);
    return Decision::kDiscard;
  }),
            absl::OkStatus());
}

uint64_t NumberOf(const TokenUid& uid) {
  uint64_t number = 0;
  for (size_t i = 8; i < 16; ++i) number = (number << 8) | uid.bytes[i];
  return number;
}

std::vector<uint64_t> NumbersOf(const std::vector<TokenRecord>& tokens) {
  std::vector<uint64_t> numbers;
  for (const TokenRecord& token : tokens) numbers.push_back(NumberOf(token.uid));
  return numbers;
}

std::vector<uint64_t> NumbersOf(const std::vector<TokenUid>& uids) {
  std::vector<uint64_t> numbers;
  for (const TokenUid& uid : uids) numbers.push_back(NumberOf(uid));
  return numbers;
}

std::optional<TokenSnapshot> FindNumber(const TokenReader& store, uint64_t number) {
  const TokenHmac hmac = HmacNumber(number);
  absl::StatusOr<FindOutcome> outcome = store.FindByHmac({&hmac, 1}, Blocking::kAllowed);
  if (!outcome.ok()) {
    ADD_FAILURE() << outcome.status();
    return std::nullopt;
  }
  EXPECT_FALSE(outcome->would_block);
  return outcome->found;
}

std::vector<uint64_t> ListAll(const TokenReader& store, TokenQuery query) {
  std::vector<uint64_t> numbers;
  query.limit = 2;
  while (true) {
    absl::StatusOr<TokenPage> page = store.ListTokens(query);
    if (!page.ok()) {
      ADD_FAILURE() << page.status();
      return numbers;
    }
    for (const uint64_t number : NumbersOf(page->tokens)) numbers.push_back(number);
    EXPECT_LE(page->tokens.size(), query.limit);
    if (!page->more) return numbers;
    const bool may_be_short = !query.owner.has_value() && !query.include_revoked;
    if ((page->tokens.size() < query.limit && !may_be_short) || page->up_to <= query.after_sequence) {
      ADD_FAILURE() << "a short page says that there is more, or the next one would be the same";
      return numbers;
    }
    query.after_sequence = page->up_to;
  }
}

}  // namespace pat
