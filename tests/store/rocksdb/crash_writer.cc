// The child of crash_test: writes into a store until it is killed, and says on its standard output what it is about to
// do and what was acknowledged, in lines that each go out in one write.
//
//   ready                          the store is open
//   <worker> try <op> <token>      before Commit()
//   <worker> done                  after Commit() returned OK
//
// Usage: crash_writer DIRECTORY SEED
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "store/rocksdb/rocksdb_token_store.h"
#include "tests/store/records_for_tests.h"
#include "tests/store/rocksdb/crash_protocol.h"

namespace pat {
namespace {

void Say(const std::string& line) {
  const std::string with_end = line + "\n";
  if (write(STDOUT_FILENO, with_end.data(), with_end.size()) < 0) std::_Exit(3);
}

// One mutation, as crash_protocol.h defines them, with its row in the audit log.
absl::Status Apply(TokenStore& store, const std::string& user_id, const std::string& op, uint64_t number) {
  if (op == kUse) {
    return store.CommitWithoutSync([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
      const auto minutes = static_cast<int64_t>(transaction.Sequence());
      absl::Status noted = transaction.NoteUse(TokenUidNumber(number), StartTime() + absl::Minutes(minutes));
      if (!noted.ok()) return noted;
      return Decision::kCommit;
    });
  }
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    auto found = transaction.GetToken(TokenUidNumber(number));
    if (!found.ok()) return found.status();
    const UserRecord user = transaction.GetUser(user_id).value().value();
    absl::Status staged = transaction.PutAudit({.time = At(1),
                                                .sequence = transaction.Sequence(),
                                                .user_id = user_id,
                                                .target_token = TokenUidNumber(number),
                                                .detail = CrashModel::Noted(op, number)});
    if (!staged.ok()) return staged;
    if (op == kDelete) {
      staged = transaction.DeleteToken(TokenUidNumber(number));
    } else if (op == kEnd) {
      staged = transaction.RevokeAll(user.uid, At(1)).status();
    } else {
      TokenRecord token = found->value_or(TokenNumber(number, user));
      if (!found->has_value()) {
        token.create_sequence = transaction.Sequence();
        token.epochs.global = transaction.GlobalEpoch().value();
      }
      token.description = std::string(2000, 'x');  // So that memtables fill and are flushed.
      if (op == kRevoke) token.revoke_time = At(1);
      if (op == kRegenerate) token.hmac = HmacNumber(number + (NumberOfHmac(token.hmac) == number ? kRegenerated : 0));
      token.change_sequence = transaction.Sequence();
      staged = transaction.PutToken(token);
    }
    if (!staged.ok()) return staged;
    return Decision::kCommit;
  });
}

void Work(TokenStore& store, uint64_t worker, uint64_t seed) {
  std::mt19937_64 random(seed);
  CrashModel model;  // Of what this worker did in this life; tokens of earlier lives are another worker's business.
  const std::string user_id = UserNumber(UserOf(worker)).id;
  while (true) {
    uint64_t number = FirstNumber(seed) + random() % 20 + 1;
    std::string op = model.DrawOp(number, random());
    if (random() % 5 == 0) op = kUse;
    if (random() % 40 == 0) {
      op = kEnd;
      number = worker;
    }
    if (op.empty()) continue;
    Say(absl::StrCat(worker, " try ", op, " ", number));
    const absl::Status status = Apply(store, user_id, op, number);
    if (!status.ok()) {
      std::cerr << status << std::endl;
      std::_Exit(4);
    }
    Say(absl::StrCat(worker, " done"));
    model.Apply(op, number);
  }
}

int Main(const std::string& directory, uint64_t seed) {
  RocksDbOptions options;
  options.directory = directory;
  options.create_if_missing = true;
  options.memtable_bytes = 64 << 10;
  options.block_cache_bytes = 1 << 20;
  absl::StatusOr<std::unique_ptr<TokenStore>> store = OpenRocksDbTokenStore(options);
  if (!store.ok()) {
    std::cerr << store.status() << std::endl;
    return 2;
  }
  for (uint64_t worker = 0; worker < kCrashWorkers; ++worker) {
    const UserRecord user = UserNumber(UserOf(worker));
    if ((*store)->GetUser(user.id)->has_value()) continue;
    if (absl::Status put = Put(**store, user); !put.ok()) {
      std::cerr << put << std::endl;
      return 2;
    }
  }
  Say("ready");
  std::vector<std::thread> workers;
  for (int i = 0; i < kCrashWorkers; ++i) {
    const auto worker = static_cast<uint64_t>(i);
    workers.emplace_back([&, worker] { Work(**store, worker, seed * kCrashWorkers + worker); });
  }
  for (std::thread& worker : workers) worker.join();
  return 0;
}

}  // namespace
}  // namespace pat

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: crash_writer DIRECTORY SEED\n";
    return 1;
  }
  return pat::Main(argv[1], std::strtoull(argv[2], nullptr, 10));
}
