#include <stdio.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using TokenReportLeakedTest = PatctlTest;

constexpr char kReported[] =
    "reported: if it was a token's secret, that token is revoked; caches may accept it until their entries run out\n";

TEST_F(TokenReportLeakedTest, ReadsTheSecretFromStandardInput) {
  console_->input = absl::StrCat(client::kFakeSecret, "\n");
  EXPECT_EQ(RunAsAda({"token", "report-leaked"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ReportLeakedToken"));
  EXPECT_EQ(server_.leaked_request.secret(), client::kFakeSecret);
  EXPECT_EQ(said(), kReported);
  EXPECT_EQ(written(), "");
}

TEST_F(TokenReportLeakedTest, ReadsTheSecretFromAFile) {
  const std::string file = ::testing::TempDir() + "/token_report_leaked_test_secret";
  std::ofstream(file) << client::kFakeSecret << "\n";
  EXPECT_EQ(RunAsAda({"token", "report-leaked", "--secret-file", file}), 0);
  remove(file.c_str());
  EXPECT_EQ(server_.leaked_request.secret(), client::kFakeSecret);
}

TEST_F(TokenReportLeakedTest, AsksForTheSecretAtATerminal) {
  console_->input_is_terminal = true;
  console_->hidden_answers = {client::kFakeSecret, "ada-password"};
  EXPECT_EQ(Run({"token", "report-leaked", "--user", "ada"}), 0);
  EXPECT_THAT(prompts(), ElementsAre("secret that leaked: ", "password of ada: "));
  EXPECT_EQ(server_.leaked_request.secret(), client::kFakeSecret);
}

TEST_F(TokenReportLeakedTest, AnyCallerWillDo) {
  console_->input = client::kFakeSecret;
  EXPECT_EQ(Run({"token", "report-leaked"}), 0);
  EXPECT_THAT(server_.authorizations, ElementsAre(""));
}

TEST_F(TokenReportLeakedTest, WhatIsNoSecretIsNotTakenForReported) {
  const std::string secret = client::kFakeSecret;
  for (const std::string& text : {secret.substr(0, 52), secret + "0", "\"" + secret.substr(0, 52),
                                  "ghp" + secret.substr(3), secret.substr(0, 52) + "-", std::string("what?")}) {
    console_->input = text;
    EXPECT_EQ(RunAsAda({"token", "report-leaked"}), 2) << text;
    EXPECT_THAT(said(), HasSubstr("that is no token's secret"));
    EXPECT_THAT(said(), Not(HasSubstr(text)));
  }
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenReportLeakedTest, StandardInputIsOneOfTheTwo) {
  console_->input = client::kFakeSecret;
  EXPECT_EQ(Run({"token", "report-leaked", "--user", "ada", "--password-file", "-"}), 2);
  EXPECT_THAT(said(), HasSubstr("standard input cannot be both the password and the secret that leaked"));
  EXPECT_EQ(Run({"token", "report-leaked", "--token-file", "-"}), 2);
  EXPECT_THAT(said(), HasSubstr("standard input cannot be both the token that asks and the secret that leaked"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenReportLeakedTest, TheSecretIsNeverRepeated) {
  server_.error =
      client::ErrorWith(grpc::StatusCode::UNAVAILABLE, absl::StrCat("no ", client::kFakeSecret), "STORE_UNAVAILABLE");
  console_->input = client::kFakeSecret;
  EXPECT_EQ(RunAsAda({"token", "report-leaked"}), 1);
  EXPECT_THAT(said(), Not(HasSubstr(client::kFakeSecret)));
  EXPECT_THAT(said(), Not(HasSubstr("reported")));
}

}  // namespace
}  // namespace pat::patctl
