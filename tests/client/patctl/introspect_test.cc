#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/patctl/time_text.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using v1::IntrospectResponse;

class IntrospectTest : public PatctlTest {
 protected:
  IntrospectTest() {
    IntrospectResponse& response = server_.introspection;
    response.set_active(true);
    response.set_verdict(IntrospectResponse::VERDICT_ALLOW);
    response.set_sub("users/ada");
    response.add_scopes("OR.Folders");
    response.add_scopes("OR.Folders.Read");
    response.set_jti(kCi);
    response.set_iss("pat-sidecar");
    response.set_iat(absl::ToUnixSeconds(client::ManualClock::Start() - absl::Hours(1)));
    response.set_exp(absl::ToUnixSeconds(client::ManualClock::Start() + absl::Hours(24 * 29)));
    SetFreshness(v1::Freshness::SOURCE_CACHE, absl::Seconds(3000));
  }

  void SetFreshness(v1::Freshness::Source source, absl::Duration fresh_for) {
    v1::Freshness& freshness = *server_.introspection.mutable_freshness();
    freshness.set_source(source);
    *freshness.mutable_read_time() = ToProto(client::ManualClock::Start() - absl::Seconds(600));
    *freshness.mutable_fresh_until() = ToProto(client::ManualClock::Start() + fresh_for);
    *freshness.mutable_fresh_for() = ToProto(fresh_for);
  }

  // With the token on standard input.
  int Introspect(std::vector<std::string> arguments = {}) {
    console_->input = std::string(client::kFakeSecret) + "\n";
    arguments.insert(arguments.begin(), "introspect");
    return Run(std::move(arguments));
  }
};

TEST_F(IntrospectTest, ReadsTheTokenFromStandardInput) {
  EXPECT_EQ(Introspect(), 0);
  EXPECT_EQ(server_.introspect_request.token(), client::kFakeSecret);
  EXPECT_THAT(server_.authorizations, ElementsAre(""));
  EXPECT_THAT(written() + said(), Not(HasSubstr(client::kFakeSecret)));
}

TEST_F(IntrospectTest, ReadsTheTokenFromAFile) {
  std::string path = (std::filesystem::temp_directory_path() / "introspect-test-XXXXXX").string();
  const int descriptor = mkstemp(path.data());
  ASSERT_GE(descriptor, 0);
  std::ofstream(path) << client::kFakeSecret << "\n";
  EXPECT_EQ(Run({"introspect", "--token-file", path}), 0);
  EXPECT_EQ(server_.introspect_request.token(), client::kFakeSecret);
  // Then standard input is free for the password.
  console_->input = "ada-password\n";
  EXPECT_EQ(Run({"introspect", "--token-file", path, "--user", "ada", "--password-file", "-"}), 0);
  EXPECT_EQ(server_.authorizations.back(), absl::StrCat("Basic ", absl::Base64Escape("ada:ada-password")));
  std::filesystem::remove(path);
}

TEST_F(IntrospectTest, AsksForTheTokenAtATerminal) {
  console_->input_is_terminal = true;
  console_->hidden_answers = {client::kFakeSecret, "ada-password"};
  EXPECT_EQ(Run({"introspect", "--user", "ada"}), 0);
  EXPECT_THAT(prompts(), ElementsAre("token: ", "password of ada: "));
  EXPECT_EQ(server_.introspect_request.token(), client::kFakeSecret);
}

TEST_F(IntrospectTest, StandardInputCannotBeBoth) {
  console_->input = "one\ntwo\n";
  EXPECT_EQ(Run({"introspect", "--user", "ada", "--password-file", "-"}), 2);
  EXPECT_THAT(said(), HasSubstr("cannot be both"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(IntrospectTest, SendsWhatTheTokenIsWantedFor) {
  EXPECT_EQ(Introspect({"--require", "A|B", "--require", "C", "--audience", "folders", "--max-staleness", "0s"}), 0);
  const v1::IntrospectRequest& request = server_.introspect_request;
  ASSERT_EQ(request.requirements_size(), 2);
  EXPECT_THAT(request.requirements(0).any_of(), ElementsAre("A", "B"));
  EXPECT_THAT(request.requirements(1).any_of(), ElementsAre("C"));
  EXPECT_EQ(request.audience(), "folders");
  EXPECT_TRUE(request.has_max_staleness());
  EXPECT_EQ(request.max_staleness().seconds(), 0);
  EXPECT_EQ(Introspect({"--max-staleness", "0"}), 0);
  EXPECT_TRUE(server_.introspect_request.has_max_staleness());
  EXPECT_EQ(server_.introspect_request.max_staleness().seconds(), 0);
  EXPECT_EQ(Introspect(), 0);
  EXPECT_FALSE(server_.introspect_request.has_max_staleness());
}

TEST_F(IntrospectTest, ShowsVerdictFactsAndFreshness) {
  EXPECT_EQ(Introspect(), 0);
  EXPECT_EQ(written(),
            "VERDICT    ALLOW: the token is good, and for this\n"
            "ACTIVE     true\n"
            "OWNER      users/ada\n"
            "SCOPES     OR.Folders\n"
            "           OR.Folders.Read\n"
            "AUDIENCES  everywhere\n"
            "EXPIRES    2026-12-22 15:04:05Z (in 29d)\n"
            "CREATED    2026-11-23 14:04:05Z (1h0m ago)\n"
            "ISSUER     pat-sidecar\n"
            "ID         0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3\n"
            "SOURCE     a cache\n"
            "READ       2026-11-23 14:54:05Z\n"
            "FRESH FOR  50m0s, until 2026-11-23 15:54:05Z\n");
  EXPECT_EQ(said(), "");
}

TEST_F(IntrospectTest, FreshnessCountsFromBeforeTheRequestWasSent) {
  server_.on_call = [this](grpc::ServerContext&) { clock_.Advance(absl::Seconds(2)); };
  EXPECT_EQ(Introspect(), 0);
  EXPECT_THAT(written(), HasSubstr("FRESH FOR  49m58s, until"));
  SetFreshness(v1::Freshness::SOURCE_STORE, absl::Seconds(1));
  EXPECT_EQ(Introspect(), 0);
  EXPECT_THAT(written(), HasSubstr("FRESH FOR  0s, until"));
  EXPECT_THAT(written(), HasSubstr("SOURCE     the store, read for this answer\n"));
}

TEST_F(IntrospectTest, InactiveIsAnAnswer) {
  server_.introspection.Clear();
  server_.introspection.set_active(false);
  server_.introspection.set_verdict(IntrospectResponse::VERDICT_INACTIVE);
  SetFreshness(v1::Freshness::SOURCE_FORMAT, absl::ZeroDuration());
  EXPECT_EQ(Introspect(), 3);
  EXPECT_EQ(written(),
            "VERDICT    INACTIVE: unknown, malformed, revoked, expired, or its owner may not use tokens\n"
            "ACTIVE     false\n"
            "SOURCE     the form of the token: nothing was read\n"
            "READ       2026-11-23 14:54:05Z\n"
            "FRESH FOR  0s, until 2026-11-23 15:04:05Z\n");
}

TEST_F(IntrospectTest, SaysWhichRequirementIsNotMet) {
  server_.introspection.set_verdict(IntrospectResponse::VERDICT_INSUFFICIENT_SCOPE);
  server_.introspection.add_unmet_requirements(1);
  server_.introspection.add_unmet_requirements(7);
  EXPECT_EQ(Introspect({"--require", "OR.Folders", "--require", "TM.Defects|TM.Defects.Read"}), 3);
  EXPECT_THAT(written(), HasSubstr("VERDICT    INSUFFICIENT_SCOPE: "));
  EXPECT_THAT(written(), HasSubstr("MISSING    TM.Defects or TM.Defects.Read\n           7\n"));
}

TEST_F(IntrospectTest, OnlyAllowIsDone) {
  server_.introspection.set_verdict(IntrospectResponse::VERDICT_WRONG_AUDIENCE);
  server_.introspection.add_aud("folders");
  EXPECT_EQ(Introspect(), 3);
  EXPECT_THAT(written(), HasSubstr("WRONG_AUDIENCE"));
  EXPECT_THAT(written(), HasSubstr("AUDIENCES  folders\n"));
  server_.introspection.set_verdict(IntrospectResponse::VERDICT_UNSPECIFIED);
  EXPECT_EQ(Introspect(), 3);
  server_.introspection.set_verdict(static_cast<IntrospectResponse::Verdict>(99));
  EXPECT_EQ(Introspect(), 3);
  EXPECT_THAT(written(), HasSubstr("99: this program does not know what that means; take it for a no"));
}

TEST_F(IntrospectTest, JsonShowsThatItIsInactive) {
  server_.introspection.Clear();
  server_.introspection.set_active(false);
  server_.introspection.set_verdict(IntrospectResponse::VERDICT_INACTIVE);
  EXPECT_EQ(Introspect({"--output", "json"}), 3);
  for (const char* field : {"\"active\": false", "\"scopes\": []", "\"verdict\": \"VERDICT_INACTIVE\""}) {
    EXPECT_THAT(written(), HasSubstr(field));
  }
  EXPECT_THAT(written(), HasSubstr(" \"unmetRequirements\": []"));
}

TEST_F(IntrospectTest, ThatNothingCouldBeDecidedIsAnError) {
  server_.error = client::ErrorWith(grpc::StatusCode::UNAVAILABLE, "no authority", "AUTHORITY_UNAVAILABLE");
  EXPECT_EQ(Introspect(), 1);
  EXPECT_EQ(written(), "");
  EXPECT_THAT(said(), HasSubstr("AUTHORITY_UNAVAILABLE"));
}

TEST_F(IntrospectTest, ATokenIsNeeded) {
  EXPECT_EQ(Run({"introspect"}), 2);
  EXPECT_THAT(said(), HasSubstr("standard input: there is nothing in it"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

}  // namespace
}  // namespace pat::patctl
