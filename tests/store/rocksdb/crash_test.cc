// kill -9 at any moment, also while the store is being opened: what was acknowledged is there, what was not is wholly
// there or wholly absent, and the indexes agree.
//
// PAT_CRASH_ROUNDS sets the number of kills; PAT_CRASH_SEED repeats a run's choices (the moments of the kills are never
// quite the same).
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "tests/store/rocksdb/crash_protocol.h"
#include "tests/store/rocksdb/rocksdb_fixture.h"

extern char** environ;

namespace pat {
namespace {

// Everything is looked at after each kill, so the work grows with the square of this.
constexpr uint64_t kRoundsPerStore = 50;

uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// A running crash_writer.
class Writer {
 public:
  Writer(const std::string& directory, uint64_t seed) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = PAT_CRASH_WRITER;
    std::string first = directory;
    std::string second = std::to_string(seed);
    char* arguments[] = {program.data(), first.data(), second.data(), nullptr};
    EXPECT_EQ(posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = ends[0];
  }

  ~Writer() { close(output_); }

  // Reads what it says for so long, then kills it; returns all that it said.
  std::string RunFor(std::chrono::milliseconds duration) {
    const auto end = std::chrono::steady_clock::now() + duration;
    std::string said;
    bool killed = false;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (!killed && left.count() <= 0) {
        kill(child_, SIGKILL);
        killed = true;
      }
      pollfd readable{.fd = output_, .events = POLLIN, .revents = 0};
      poll(&readable, 1, killed ? -1 : static_cast<int>(left.count()));
      if (readable.revents == 0) continue;
      char buffer[65536];
      const ssize_t got = read(output_, buffer, sizeof(buffer));
      if (got <= 0) break;
      said.append(buffer, static_cast<size_t>(got));
    }
    waitpid(child_, &status_, 0);
    return said;
  }

  bool WasKilled() const { return WIFSIGNALED(status_) && WTERMSIG(status_) == SIGKILL; }

 private:
  pid_t child_ = 0;
  int output_ = -1;
  int status_ = 0;
};

class CrashTest : public RocksDbFixture {
 protected:
  struct Pending {
    std::string op;
    uint64_t number = 0;
  };

  // Takes over what was acknowledged; what was not yet is left in the result.
  std::vector<Pending> Replay(const std::string& said) {
    std::map<int, Pending> under_way;
    std::istringstream lines(said);
    std::string line;
    while (std::getline(lines, line)) {
      if (line == "ready") continue;
      std::istringstream words(line);
      int worker = 0;
      std::string verb;
      words >> worker >> verb;
      if (verb == "try") {
        Pending pending;
        words >> pending.op >> pending.number;
        under_way[worker] = pending;
        continue;
      }
      EXPECT_EQ(verb, "done") << line;
      model_.Apply(under_way[worker].op, under_way[worker].number);
      under_way.erase(worker);
      ++acknowledged_;
    }
    std::vector<Pending> pending;
    for (const auto& [worker, attempt] : under_way) pending.push_back(attempt);
    return pending;
  }

  // What the store says of a token, read in two ways that must agree.
  std::optional<CrashState> Observe(uint64_t number) {
    const absl::StatusOr<std::optional<TokenRecord>> record = store().GetToken(TokenUidNumber(number));
    EXPECT_TRUE(record.ok()) << record.status();
    const auto original = FindNumber(store(), number);
    const auto regenerated = FindNumber(store(), number + kRegenerated);
    EXPECT_FALSE(original.has_value() && regenerated.has_value()) << "two living secrets of token " << number;
    EXPECT_EQ((*record).has_value(), original.has_value() || regenerated.has_value()) << number;
    if (!(*record).has_value()) return std::nullopt;
    return CrashState{.revoked = (*record)->revoke_time.has_value(), .regenerated = regenerated.has_value()};
  }

  // How often each operation is in the audit log.
  std::map<std::string, uint64_t> AuditedOperations() {
    std::map<std::string, uint64_t> operations;
    const absl::StatusOr<AuditPage> page = store().ListAudit({.limit = 10'000'000});
    EXPECT_TRUE(page.ok()) << page.status();
    for (const AuditRecord& row : page->rows) ++operations[row.detail];
    return operations;
  }

  // How often each thing is among the changes that caches are told: tokens by number, users by id, "" for everything.
  std::map<std::string, uint64_t> ToldChanges() {
    std::map<std::string, uint64_t> told;
    const absl::StatusOr<ChangePage> page = store().ListChanges(0, 10'000'000);
    EXPECT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->up_to, store().CommitSequence()) << "after opening everything is durable";
    for (const Change& change : page->changes) {
      const bool of_token = change.kind == Change::Kind::kToken;
      ++told[of_token ? absl::StrCat(NumberOf(change.token)) : change.owner_id];
    }
    return told;
  }
  // The same, by what was done: each end of a token or of its secret, and of all of a user, and of everything.
  std::map<std::string, uint64_t> ExpectedChanges() {
    std::map<std::string, uint64_t> expected;
    for (const auto& [noted, times] : model_.history()) {
      std::istringstream words(noted);
      std::string op;
      uint64_t number = 0;
      words >> op >> number;
      if (op == kEnd) expected[UserNumber(UserOf(number)).id] += times;
      if (op == kRevoke || op == kRegenerate) expected[absl::StrCat(number)] += times;
    }
    if (ends_of_everything_ > 0) expected[""] = ends_of_everything_;
    return expected;
  }

  CrashModel model_;
  uint64_t ends_of_everything_ = 0;
  uint64_t acknowledged_ = 0;
};

TEST_F(CrashTest, AcknowledgedSurvivesEveryKill) {
  const uint64_t rounds = NumberFromEnvironment("PAT_CRASH_ROUNDS", 20);
  const uint64_t seed = NumberFromEnvironment("PAT_CRASH_SEED", std::random_device()());
  std::cout << "PAT_CRASH_SEED=" << seed << "\n";
  std::mt19937_64 random(seed);
  options_.memtable_bytes = 64 << 10;
  uint64_t killed_while_opening = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE(absl::StrCat("round ", round));
    if (round % kRoundsPerStore == 0) {
      options_.directory = absl::StrCat(scratch_.path(), "/store-", round);
      model_ = CrashModel();
      ends_of_everything_ = 0;
    }
    // A third of the kills come early, while the store is being made or opened.
    const uint64_t milliseconds = round % 3 == 0 ? random() % 80 : 100 + random() % 300;
    Writer writer(directory(), round + 1);
    const std::string said = writer.RunFor(std::chrono::milliseconds(milliseconds));
    ASSERT_TRUE(writer.WasKilled()) << "the writer ended by itself";
    if (said.empty()) ++killed_while_opening;
    const std::vector<Pending> pending = Replay(said);

    ASSERT_EQ(Open(), absl::OkStatus());
    ASSERT_EQ(store().Verify(), absl::OkStatus());
    const std::map<std::string, uint64_t> audited = AuditedOperations();
    for (const Pending& attempt : pending) {
      if (attempt.op == kUse) continue;
      // Its audit row tells whether it was done; everything else must say the same.
      const std::string noted = CrashModel::Noted(attempt.op, attempt.number);
      const auto times = [&noted](const std::map<std::string, uint64_t>& history) {
        const auto it = history.find(noted);
        return it == history.end() ? 0 : it->second;
      };
      if (times(audited) > times(model_.history())) model_.Apply(attempt.op, attempt.number);
    }
    EXPECT_EQ(audited, model_.history()) << "a row for each operation, and no other";
    EXPECT_EQ(ToldChanges(), ExpectedChanges()) << "a change for each end, and no other";
    for (const auto& [number, state] : model_.tokens()) EXPECT_EQ(Observe(number), state) << number;
    const absl::StatusOr<TokenPage> page = store().ListTokens({.include_revoked = true, .limit = 1'000'000});
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->tokens.size(), model_.tokens().size());
    if (round % 4 == 3) {
      const uint64_t unrevoked = model_.EndAll([](uint64_t) { return true; });
      EXPECT_EQ(RevokeAll(store(), std::nullopt, At(2)), unrevoked);
      ++ends_of_everything_;
      EXPECT_EQ(store().Verify(), absl::OkStatus());
    }
    Close();
    if (HasFailure()) break;
  }
  std::cout << rounds << " kills, " << killed_while_opening << " while opening, " << acknowledged_ << " acknowledged, "
            << model_.tokens().size() << " tokens in the last store\n";
}

TEST_F(CrashTest, SecondProcessIsRefused) {
  ASSERT_EQ(Open(), absl::OkStatus());
  Writer second(directory(), 1);
  EXPECT_EQ(second.RunFor(std::chrono::seconds(20)), "") << "it must not get as far as \"ready\"";
  EXPECT_FALSE(second.WasKilled());
}

}  // namespace
}  // namespace pat
