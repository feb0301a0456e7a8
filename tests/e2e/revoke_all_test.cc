// RevokeAllTokens over many tokens, through a whole server: everybody is answered meanwhile, and every token is
// inactive at the next read. PAT_TOKENS=1000000 makes it a measurement; it prints how long the call took.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/core/peppers.h"
#include "server/core/token_secret.h"
#include "server/crypto/random.h"
#include "store/rocksdb/rocksdb_token_store.h"
#include "tests/e2e/client.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

constexpr size_t kBatch = 500;

size_t HowMany() {
  size_t count = 20'000;
  if (const char* const given = std::getenv("PAT_TOKENS"); given != nullptr) {
    if (!absl::SimpleAtoi(given, &count)) throw std::runtime_error("PAT_TOKENS is no number");
  }
  return count;
}

void Require(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// Puts tokens of ada and bob, in turn, into the data of a server that is not running. Their secrets, in that order.
std::vector<std::string> FillStore(const std::string& directory, absl::Time now, size_t count) {
  auto store = OpenRocksDbTokenStore({.directory = directory, .development = true});
  Require(store.status());
  const auto peppers = Peppers::Load({directory + ".pepper"});
  Require(peppers.status());
  const std::vector<UserRecord> owners = {**(*store)->GetUser("ada"), **(*store)->GetUser("bob")};
  std::vector<std::string> secrets;
  // Many in one mutation: a page of a list could not end between them, but nobody lists them.
  while (secrets.size() < count) {
    std::vector<TokenRecord> tokens;
    for (size_t i = 0; i < kBatch && secrets.size() < count; ++i) {
      const Secret secret = MintSecret();
      const UserRecord& owner = owners[secrets.size() % owners.size()];
      TokenRecord& token = tokens.emplace_back();
      FillRandom(absl::MakeSpan(token.uid.bytes));
      token.owner = owner.uid;
      token.owner_id = owner.id;
      token.display_name = absl::StrCat("token ", secrets.size());
      token.scopes = {"OR.Assets"};
      token.create_time = now;
      token.expire_time = absl::FromUnixSeconds(absl::ToUnixSeconds(now)) + absl::Hours(24 * 30);
      token.hmac = (*peppers)->Hmac(DigestOf(secret.Reveal()));
      secrets.emplace_back(secret.Reveal());
    }
    Require((*store)->CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      for (TokenRecord& token : tokens) {
        token.create_sequence = transaction.Sequence();
        token.change_sequence = transaction.Sequence();
        if (absl::Status status = transaction.PutToken(token); !status.ok()) return status;
      }
      return Decision::kCommit;
    }));
  }
  return secrets;
}

v1::RevokeAllTokensRequest RevokeAll(const std::string& parent) {
  v1::RevokeAllTokensRequest request;
  request.set_parent(parent);
  return request;
}

// How many of these tokens are active, by what the store says now.
size_t CountActive(DevServer& server, const std::vector<std::string>& secrets) {
  size_t active = 0;
  for (size_t begin = 0; begin < secrets.size(); begin += kBatch) {
    v1::BatchIntrospectRequest batch;
    for (size_t i = begin; i < std::min(begin + kBatch, secrets.size()); ++i) {
      v1::IntrospectRequest& question = *batch.add_requests();
      question = QuestionFor(secrets[i]);
      question.mutable_max_staleness();  // Zero: ask the store.
    }
    server.time.Advance(absl::Seconds(1));  // There is a limit of reads in a second.
    const auto answers = server.client().Call(&IntrospectionStub::BatchIntrospect, Nobody(), batch).value();
    for (const v1::IntrospectResponse& answer : answers.responses()) active += answer.active() ? 1 : 0;
  }
  return active;
}

// Asks about tokens at random, all the time, until it is destroyed.
class Asking {
 public:
  Asking(const std::string& target, const std::vector<std::string>& secrets)
      : client_(target), secrets_(secrets), thread_([this] { Work(); }) {}
  ~Asking() { Stop(); }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  int asked() const { return asked_; }
  int failed() const { return failed_; }

 private:
  void Work() {
    std::minstd_rand random(7);
    while (!stop_) {
      const auto answer =
          client_.Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor(secrets_[random() % secrets_.size()]));
      ++asked_;
      if (!answer.status.ok()) ++failed_;
    }
  }

  Client client_;
  const std::vector<std::string>& secrets_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> asked_ = 0;
  std::atomic<int> failed_ = 0;
  std::thread thread_;
};

TEST(RevokeAllTest, EndsManyTokensAtOnceWhileEverybodyIsAnswered) {
  const size_t count = HowMany();
  Options options;
  options.cache_capacity = 100'000;
  DevServer server(options);
  std::vector<std::string> secrets;
  server.Restart(std::nullopt, [&] {
    secrets = FillStore(server.options().data_dir, absl::FromUnixNanos(server.time.WallNanos()), count);
  });
  Client& client = server.client();
  ASSERT_EQ(CountActive(server, {secrets.begin(), secrets.begin() + 1000}), 1000U);

  Asking asking(server.daemon().listening().front().ToString(), secrets);
  while (asking.asked() < 100) std::this_thread::yield();

  // First one user's, then everybody's: what is left.
  const int64_t each = static_cast<int64_t>(count / 2);
  const auto of_bob = client.Call(&TokenStub::RevokeAllTokens, Person("admin"), RevokeAll("users/bob")).value();
  EXPECT_EQ(of_bob.revoked_count(), each);
  const int64_t begin = SystemClockSource().BootNanos();
  const auto of_all = client.Call(&TokenStub::RevokeAllTokens, Person("admin"), RevokeAll("users/-")).value();
  const int64_t took = SystemClockSource().BootNanos() - begin;
  EXPECT_EQ(of_all.revoked_count(), each);
  std::cout << "RevokeAllTokens with " << count << " tokens, half of them revoked before: " << took / 1000
            << " us, password and fsync included\n";

  asking.Stop();
  EXPECT_EQ(asking.failed(), 0);
  EXPECT_EQ(CountActive(server, secrets), 0U);

  // And new ones are as alive as ever.
  const MadeToken made = client.Create("ada", "after");
  EXPECT_TRUE(client.IntrospectNow(made.secret).active());
}

}  // namespace
}  // namespace pat
