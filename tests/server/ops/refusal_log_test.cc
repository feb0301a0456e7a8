#include "server/ops/refusal_log.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/clock.h"
#include "server/core/error.h"
#include "server/ops/data_directory.h"
#include "server/ops/dev_users.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::Status Invalid(absl::string_view text) {
  return MakeError(absl::StatusCode::kUnauthenticated, text, {.reason = "CREDENTIALS_INVALID"});
}

class RefusalLogTest : public testing::Test {
 protected:
  RefusalLogTest() {
    Options options;
    options.data_dir = scratch_.File("data");
    data_ = DataDirectory::Open(options, DataUse::kDev, clock_).value();
    EXPECT_TRUE(MakeDevUsers(data_->store(), clock_.Now()).ok());
    log_ = std::make_unique<RefusalLog>(clock_, &data_->store());
  }

  std::string LineOfPassword(const std::string& user_and_password) {
    const std::string header = "Basic " + absl::Base64Escape(user_and_password);
    CallInfo call{.method = "/pat.v1.TokenService/ListTokens", .listener = "127.0.0.1:7443"};
    call.authorization.push_back(header);
    return log_->LineOf(call, "ipv4:10.0.0.7:4711", Invalid("no local user has this name and password"));
  }

  const ScratchDirectory scratch_;
  const Clock clock_{SystemClockSource()};
  std::unique_ptr<DataDirectory> data_;
  std::unique_ptr<RefusalLog> log_;
};

TEST_F(RefusalLogTest, NamesMethodPeerListenerAndCertificate) {
  const CallInfo call{.method = "/pat.v1.IntrospectionService/Introspect",
                      .listener = "0.0.0.0:7443",
                      .certificate = PeerCertificate{.spiffe_id = "spiffe://example.org/web",
                                                     .uris = {"spiffe://example.org/web"},
                                                     .dns_names = {"web.example\n"}}};
  EXPECT_EQ(log_->LineOf(call, "ipv4:10.0.0.7:4711", Invalid("this client certificate has no role here")),
            "refused: /pat.v1.IntrospectionService/Introspect from ipv4:10.0.0.7:4711 at 0.0.0.0:7443, certificate "
            "spiffe=spiffe://example.org/web dns=web.example\\n: CREDENTIALS_INVALID: this client certificate has no "
            "role here");
}

TEST_F(RefusalLogTest, NamesAUserWhoExistsAndNothingElseOfACredential) {
  const std::string known = LineOfPassword("ada:a-wrong-one");
  EXPECT_THAT(known, HasSubstr(", user ada: CREDENTIALS_INVALID: no local user"));
  EXPECT_THAT(known, Not(HasSubstr("a-wrong-one")));
  // A password in the place of the name.
  for (const char* text : {"correct-horse:ada", "correct-horse", "correct-horse:", ":correct-horse"}) {
    const std::string unknown = LineOfPassword(text);
    EXPECT_THAT(unknown, HasSubstr(", no user that exists")) << text;
    EXPECT_THAT(unknown, Not(HasSubstr("horse"))) << text;
  }
}

TEST_F(RefusalLogTest, DoesNotQuoteAUserHeaderThatIsNone) {
  CallInfo call{.method = "/pat.v1.TokenService/ListTokens"};
  call.portal_user.emplace_back("Correct Horse");
  EXPECT_THAT(log_->LineOf(call, "unix:/p", Invalid("x-pat-user: \"Correct Horse\" is no user id")),
              Not(HasSubstr("Horse")));
}

}  // namespace
}  // namespace pat
