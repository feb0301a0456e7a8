// PatctlTest: runs whole commands of patctl against a FakeServer.
#ifndef PAT_TESTS_CLIENT_PATCTL_PATCTL_FIXTURE_H_
#define PAT_TESTS_CLIENT_PATCTL_PATCTL_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/client/fake_server.h"
#include "tests/client/manual_clock.h"
#include "tests/client/patctl/clean_environment.h"
#include "tests/client/patctl/fake_console.h"

namespace pat::patctl {

inline constexpr char kCi[] = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";
inline constexpr char kBackup[] = "11111111-2222-3333-4444-555555555555";

// A token of users/ada with the scopes OR.Folders.Read and TM.Defects.Read, good for 30 days from ManualClock::Start().
v1::Token MakeToken(const std::string& uid, const std::string& display_name);

// A local user, "users/{id}", with these grants, made an hour before ManualClock::Start().
v1::User MakeUser(const std::string& id, const std::vector<std::string>& grants);

class PatctlTest : public ::testing::Test {
 protected:
  // Runs "patctl --server ... <arguments>" with nothing else on the console than what the test put there. Returns the
  // exit status; what was printed is in written() and said(), of this run only.
  int Run(std::vector<std::string> arguments);

  // The same as ada or admin, whose password is typed when asked, before the other hidden answers on the console.
  int RunAsAda(std::vector<std::string> arguments);
  int RunAsAdmin(std::vector<std::string> arguments);

  // The results, and everything else, that were printed by the last run.
  const std::string& written() const { return written_; }
  const std::string& said() const { return said_; }

  // For what hidden things it asked.
  const std::vector<std::string>& prompts() const { return prompts_; }

  CleanEnvironmentScope clean_environment_;
  client::FakeServer server_;
  client::ManualClock clock_;
  std::unique_ptr<FakeConsole> console_ = std::make_unique<FakeConsole>();  // A new one after each run.

 private:
  std::string written_;
  std::string said_;
  std::vector<std::string> prompts_;
};

}  // namespace pat::patctl

#endif  // PAT_TESTS_CLIENT_PATCTL_PATCTL_FIXTURE_H_
