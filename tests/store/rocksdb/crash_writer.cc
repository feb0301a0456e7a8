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

// One mutation on one token, as crash_protocol.h defines them.
absl::Status Apply(TokenStore& store, const UserRecord& user, const std::string& op, uint64_t number) {
  return store.Commit([&](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
    auto found = transaction.GetToken(TokenUidNumber(number));
    if (!found.ok()) return found.status();
    absl::Status staged;
    if (op == kDelete) {
      staged = transaction.DeleteToken(TokenUidNumber(number));
    } else {
      TokenRecord token = found->value_or(TokenNumber(number, user));
      if (!found->has_value()) token.create_sequence = transaction.Sequence();
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

void Work(TokenStore& store, const UserRecord& user, int worker, uint64_t seed) {
  std::mt19937_64 random(seed);
  CrashModel model;  // Of what this worker did in this life; tokens of earlier lives are another worker's business.
  const uint64_t first = (seed % 1'000'000) * 100;
  while (true) {
    const uint64_t number = first + random() % 20 + 1;
    const std::string op = model.DrawOp(number, random());
    if (op.empty()) continue;
    Say(absl::StrCat(worker, " try ", op, " ", number));
    const absl::Status status = Apply(store, user, op, number);
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
  const UserRecord user = UserNumber(1);
  if (absl::Status put = Put(**store, user); !put.ok()) {
    std::cerr << put << std::endl;
    return 2;
  }
  Say("ready");
  std::vector<std::thread> workers;
  for (int i = 0; i < kCrashWorkers; ++i) {
    workers.emplace_back([&, i] { Work(**store, user, i, seed * kCrashWorkers + static_cast<uint64_t>(i)); });
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
