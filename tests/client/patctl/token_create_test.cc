#include <string>
#include <vector>

#include "google/protobuf/util/json_util.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::Scope MakeScope(const std::string& resource, const std::string& product, const std::string& name) {
  v1::Scope scope;
  scope.set_resource(resource);
  scope.set_product(product);
  scope.set_name(name);
  scope.set_description("Allows " + name + ".");
  return scope;
}

class TokenCreateTest : public PatctlTest {
 protected:
  TokenCreateTest() {
    server_.scopes = {MakeScope("OR", "Orchestrator", "OR.Folders"), MakeScope("OR", "Orchestrator", "OR.Folders.Read"),
                      MakeScope("TM", "Test Manager", "TM.Defects"), MakeScope("OR", "Orchestrator", "OR.Jobs")};
  }

  const std::vector<std::string> kComplete = {
      "token", "create", "--name", "ci", "--scopes", "OR.Folders.Read,OR.Jobs", "--expires", "30d"};

  static std::vector<std::string> With(std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(TokenCreateTest, PrintsTheSecretAloneAndTheRestElsewhere) {
  EXPECT_EQ(RunAsAda(kComplete), 0);
  EXPECT_EQ(written(), std::string(client::kFakeSecret) + "\n");
  EXPECT_THAT(said(), HasSubstr("created \"ci\" (users/ada/tokens/"));
  EXPECT_THAT(said(), HasSubstr("copy the secret now, it is not shown again\n"));
  EXPECT_THAT(said(), Not(HasSubstr(client::kFakeSecret)));
}

TEST_F(TokenCreateTest, SendsWhatWasAskedFor) {
  EXPECT_EQ(RunAsAda(With(kComplete, {"--description", "for builds", "--audience", "a,b", "--request-id", "r-1"})), 0);
  const v1::CreateTokenRequest& request = server_.create_request;
  EXPECT_EQ(request.parent(), "users/ada");
  EXPECT_EQ(request.display_name(), "ci");
  EXPECT_EQ(request.description(), "for builds");
  EXPECT_THAT(request.scopes(), ElementsAre("OR.Folders.Read", "OR.Jobs"));
  EXPECT_THAT(request.audiences(), ElementsAre("a", "b"));
  EXPECT_EQ(request.ttl().seconds(), 30 * 86'400);
  EXPECT_FALSE(request.has_expire_time());
  EXPECT_EQ(request.request_id(), "r-1");
  EXPECT_FALSE(request.validate_only());
  EXPECT_THAT(server_.calls, ElementsAre("CreateToken"));
}

TEST_F(TokenCreateTest, SendsNoRequestIdOfItsOwn) {
  EXPECT_EQ(RunAsAda(kComplete), 0);
  EXPECT_EQ(server_.create_request.request_id(), "");
}

TEST_F(TokenCreateTest, ADateMeansThroughItsEnd) {
  EXPECT_EQ(RunAsAda({"token", "create", "--name", "ci", "--scopes", "OR.Jobs", "--expires", "2027-01-31"}), 0);
  EXPECT_FALSE(server_.create_request.has_ttl());
  EXPECT_EQ(server_.create_request.expire_time().seconds(), 1'801'440'000);  // 2027-02-01T00:00:00Z
  EXPECT_THAT(said(), HasSubstr("good until 2027-02-01 00:00:00Z (in 69d)"));
}

TEST_F(TokenCreateTest, MayBeForAnotherOwner) {
  EXPECT_EQ(RunAsAda(With(kComplete, {"--owner", "bob"})), 0);
  EXPECT_EQ(server_.create_request.parent(), "users/bob");
}

TEST_F(TokenCreateTest, JsonHasTheWholeResponse) {
  EXPECT_EQ(RunAsAda(With(kComplete, {"--output", "json"})), 0);
  v1::CreateTokenResponse response;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(written(), &response).ok()) << written();
  EXPECT_EQ(response.secret(), client::kFakeSecret);
  EXPECT_EQ(response.token().display_name(), "ci");
  EXPECT_THAT(written(), HasSubstr("\"displayName\": \"ci\""));
  EXPECT_THAT(said(), HasSubstr("copy the secret now"));
}

TEST_F(TokenCreateTest, ValidateOnlyCreatesNothing) {
  EXPECT_EQ(RunAsAda(With(kComplete, {"--validate-only"})), 0);
  EXPECT_TRUE(server_.create_request.validate_only());
  EXPECT_EQ(written(), "");
  EXPECT_EQ(said(), "the request is good; nothing was created\n");
  EXPECT_EQ(RunAsAda(With(kComplete, {"--validate-only", "--output", "json"})), 0);
  EXPECT_THAT(written(), HasSubstr("\"displayName\": \"ci\""));
}

TEST_F(TokenCreateTest, NamesAllThatIsMissing) {
  EXPECT_EQ(Run({"token", "create", "--user", "ada"}), 2);
  EXPECT_THAT(said(), HasSubstr("missing: --name, --scopes, --expires"));
  EXPECT_EQ(Run({"token", "create", "--user", "ada", "--name", "ci", "--expires", "1d"}), 2);
  EXPECT_THAT(said(), HasSubstr("missing: --scopes\n"));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(TokenCreateTest, ASecretThatCannotBeWrittenIsLostAndThatIsSaid) {
  console_->BreakOutput();
  EXPECT_EQ(RunAsAda(kComplete), 1);
  EXPECT_THAT(said(), HasSubstr("the secret of \"ci\" (users/ada/tokens/0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3) is lost; "
                                "regenerate the token, or revoke it"));
  EXPECT_THAT(said(), Not(HasSubstr(client::kFakeSecret)));
}

TEST_F(TokenCreateTest, AnAnswerWithoutSecretIsAnError) {
  server_.secret = "";
  EXPECT_EQ(RunAsAda(kComplete), 1);
  EXPECT_THAT(said(), HasSubstr("the server answered no secret"));
}

TEST_F(TokenCreateTest, ASecretCannotSteerTheTerminal) {
  server_.secret = "pat_\x1b[2J";
  EXPECT_EQ(RunAsAda(kComplete), 0);
  EXPECT_EQ(written(), "pat_\\x1b[2J\n");
}

TEST_F(TokenCreateTest, AsksAtATerminal) {
  console_->input_is_terminal = true;
  console_->input =
      "\n"         // A name is needed.
      "my ci\n"    //
      "\n"         // So is a resource.
      "XY\n"       // There is none of this name.
      "or\n"       // By name, whatever the case.
      "1 9\n"      // There are three.
      "2-3\n"      //
      "2\n"        // Test Manager, by number.
      "1\n"        //
      "1\n"        // Once more Orchestrator:
      "3\n"        // it was chosen already.
      "\n"         // That is all.
      "someday\n"  // No time at all.
      "90d\n";
  EXPECT_EQ(RunAsAda({"token", "create"}), 0) << said();
  EXPECT_EQ(server_.create_request.display_name(), "my ci");
  EXPECT_THAT(server_.create_request.scopes(), ElementsAre("OR.Folders.Read", "OR.Jobs", "TM.Defects"));
  EXPECT_EQ(server_.create_request.ttl().seconds(), 90 * 86'400);
  EXPECT_EQ(written(), std::string(client::kFakeSecret) + "\n");
  EXPECT_THAT(said(), HasSubstr("1  OR  Orchestrator  3 scopes\n2  TM  Test Manager  1 scope\n"));
  EXPECT_THAT(said(), HasSubstr("a token has at least one scope"));
  EXPECT_THAT(said(), HasSubstr("give a number from 1 to 2 or the name of a resource"));
  EXPECT_THAT(said(), HasSubstr("2  OR.Folders.Read  Allows OR.Folders.Read."));
  EXPECT_THAT(said(), HasSubstr("\"9\": give numbers from 1 to 3"));
  EXPECT_THAT(said(), HasSubstr("chosen: OR.Folders.Read, OR.Jobs, TM.Defects\n"));
  EXPECT_THAT(said(), HasSubstr("\"someday\": give a duration"));
  // The catalogue has two pages.
  EXPECT_THAT(server_.calls, ElementsAre("ListScopes", "ListScopes", "CreateToken"));
}

TEST_F(TokenCreateTest, AsksOnlyForWhatIsMissing) {
  console_->input_is_terminal = true;
  console_->input = "2027-01-31\n";
  EXPECT_EQ(RunAsAda({"token", "create", "--name", "ci", "--scopes", "OR.Jobs"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("CreateToken"));
  EXPECT_EQ(server_.create_request.expire_time().seconds(), 1'801'440'000);
}

TEST_F(TokenCreateTest, AsksForNothingIfAllIsSaid) {
  console_->input_is_terminal = true;
  EXPECT_EQ(RunAsAda(kComplete), 0);
  EXPECT_THAT(said(), Not(HasSubstr("?")));
}

TEST_F(TokenCreateTest, WhoStopsAnsweringCreatesNothing) {
  for (const char* input : {"", "ci\n", "ci\nOR\n", "ci\nOR\n1\n", "ci\nOR\n1\n\n", "ci\nOR\n1\n\nsomeday\n"}) {
    console_->input_is_terminal = true;
    console_->input = input;
    EXPECT_EQ(RunAsAda({"token", "create"}), 4) << input;
    EXPECT_THAT(said(), HasSubstr("the input ended; nothing was changed"));
  }
  EXPECT_THAT(server_.calls, Each("ListScopes"));
}

TEST_F(TokenCreateTest, ACatalogueWithoutScopesIsAnError) {
  server_.scopes.clear();
  console_->input_is_terminal = true;
  console_->input = "ci\n";
  EXPECT_EQ(RunAsAda({"token", "create"}), 1);
  EXPECT_THAT(said(), HasSubstr("no scopes to choose from"));
}

}  // namespace
}  // namespace pat::patctl
