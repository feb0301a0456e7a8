// Bad input to the management of tokens: the status, its details, and what is in the store afterwards. Through gRPC:
// this is what a client gets. Bytes that are no request at all are in bad_bytes_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using CreateChange = std::function<void(v1::CreateTokenRequest&)>;

// One server for all tests here; each uses display names of its own and leaves no live token of ada's behind.
class BadInputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<DevServer>(); }
  static void TearDownTestSuite() { server_ = nullptr; }

  void TearDown() override {
    for (const char* user : {"ada", "bob"}) {
      for (const v1::Token& token : client().List(user)) client().Revoke(token);
    }
  }

  static Client& client() { return server_->client(); }
  static FakeClockSource& time() { return server_->time; }

  static Answer<v1::CreateTokenResponse> TryCreate(const v1::CreateTokenRequest& request,
                                                   absl::string_view user_id = "ada") {
    return client().Call(&TokenStub::CreateToken, PortalFor(user_id), request);
  }
  static Answer<v1::RegenerateTokenResponse> TryRegenerate(const v1::RegenerateTokenRequest& request) {
    return client().Call(&TokenStub::RegenerateToken, PortalFor("ada"), request);
  }
  static grpc::Status RegenerateStatus(const v1::Token& token) {
    v1::RegenerateTokenRequest request;
    request.set_name(token.name());
    return TryRegenerate(request).status;
  }

  static std::unique_ptr<DevServer> server_;
};

std::unique_ptr<DevServer> BadInputTest::server_;

struct BadCreation {
  const char* what;
  CreateChange change;
  const char* field;
};

const std::vector<BadCreation>& BadCreations() {
  static const auto* const creations = new std::vector<BadCreation>{
      {"no parent", [](auto& r) { r.clear_parent(); }, "parent"},
      {"parent without users/", [](auto& r) { r.set_parent("ada"); }, "parent"},
      {"parent for everybody", [](auto& r) { r.set_parent("users/-"); }, "parent"},
      {"parent of a token", [](auto& r) { r.set_parent("users/ada/tokens/x"); }, "parent"},
      {"name empty", [](auto& r) { r.clear_display_name(); }, "display_name"},
      {"name of spaces", [](auto& r) { r.set_display_name("   "); }, "display_name"},
      {"name of 129", [](auto& r) { r.set_display_name(std::string(129, 'n')); }, "display_name"},
      {"name with a newline", [](auto& r) { r.set_display_name("two\nlines"); }, "display_name"},
      {"name with an escape", [](auto& r) { r.set_display_name("\x1b[2J"); }, "display_name"},
      {"name with a NUL", [](auto& r) { r.set_display_name(std::string("a\0b", 3)); }, "display_name"},
      {"name with a C1 control", [](auto& r) { r.set_display_name("a\u0085b"); }, "display_name"},
      {"description of 1025", [](auto& r) { r.set_description(std::string(1025, 'd')); }, "description"},
      {"description with a bell", [](auto& r) { r.set_description("ding\a"); }, "description"},
      {"no scopes", [](auto& r) { r.clear_scopes(); }, "scopes"},
      {"unknown scope", [](auto& r) { r.add_scopes("OR.Folder"); }, "scopes[1]"},
      {"scope in another case", [](auto& r) { r.add_scopes("or.folders.read"); }, "scopes[1]"},
      {"empty scope", [](auto& r) { r.add_scopes(""); }, "scopes[1]"},
      {"scope for all", [](auto& r) { r.add_scopes("*"); }, "scopes[1]"},
      {"scope twice", [](auto& r) { r.add_scopes("OR.Folders"); }, "scopes[1]"},
      {"65 scopes",
       [](auto& r) {
         for (int i = 0; i < 64; ++i) r.add_scopes("OR.Folders.Read");
       },
       "scopes"},
      {"audience with a space", [](auto& r) { r.add_audiences("a b"); }, "audiences[0]"},
      {"empty audience", [](auto& r) { r.add_audiences(""); }, "audiences[0]"},
      {"17 audiences",
       [](auto& r) {
         for (int i = 0; i < 17; ++i) r.add_audiences(absl::StrCat("a", i));
       },
       "audiences"},
      {"no end", [](auto& r) { r.clear_expiration(); }, "expire_time"},
      {"end in the past", [](auto& r) { r.mutable_expire_time()->set_seconds(1'000'000'000); }, "expire_time"},
      {"end now", [](auto& r) { r.mutable_expire_time()->set_seconds(FakeClockSource::kStartSeconds); }, "expire_time"},
      {"end before the first year", [](auto& r) { r.mutable_expire_time()->set_seconds(-62'135'596'801); },
       "expire_time"},
      {"end beyond the policy",
       [](auto& r) { r.mutable_expire_time()->set_seconds(FakeClockSource::kStartSeconds + 365 * 86'400 + 86'400); },
       "expire_time"},
      {"end in the year 10000", [](auto& r) { r.mutable_expire_time()->set_seconds(253'402'300'800); }, "expire_time"},
      {"end at the end of int64", [](auto& r) { r.mutable_expire_time()->set_seconds(INT64_MAX); }, "expire_time"},
      {"end with negative nanos",
       [](auto& r) {
         r.mutable_expire_time()->set_seconds(FakeClockSource::kStartSeconds + 86'400);
         r.mutable_expire_time()->set_nanos(-1);
       },
       "expire_time"},
      {"end with too many nanos",
       [](auto& r) {
         r.mutable_expire_time()->set_seconds(FakeClockSource::kStartSeconds + 86'400);
         r.mutable_expire_time()->set_nanos(1'000'000'000);
       },
       "expire_time"},
      {"no life", [](auto& r) { r.mutable_ttl()->set_seconds(0); }, "ttl"},
      {"negative life", [](auto& r) { r.mutable_ttl()->set_seconds(-60); }, "ttl"},
      {"life under a second",
       [](auto& r) {
         r.mutable_ttl()->set_seconds(0);
         r.mutable_ttl()->set_nanos(999'999'999);
       },
       "ttl"},
      {"life of two signs", [](auto& r) { r.mutable_ttl()->set_nanos(-1); }, "ttl"},
      {"life beyond the policy", [](auto& r) { r.mutable_ttl()->set_seconds(365 * 86'400 + 1); }, "ttl"},
      {"life of INT64_MIN", [](auto& r) { r.mutable_ttl()->set_seconds(INT64_MIN); }, "ttl"},
      {"request id of 65", [](auto& r) { r.set_request_id(std::string(65, 'r')); }, "request_id"},
      {"request id with a newline", [](auto& r) { r.set_request_id("a\nb"); }, "request_id"},
      {"request id beyond ASCII", [](auto& r) { r.set_request_id("\u00e9"); }, "request_id"},
  };
  return *creations;
}

TEST_F(BadInputTest, EachViolationOfACreationIsNamedAndNothingIsKept) {
  for (const BadCreation& bad : BadCreations()) {
    SCOPED_TRACE(bad.what);
    for (const bool validate_only : {false, true}) {
      v1::CreateTokenRequest request = CreationFor("ada", "never made");
      request.set_validate_only(validate_only);
      bad.change(request);
      const Answer<v1::CreateTokenResponse> answer = TryCreate(request);
      EXPECT_THAT(answer.status, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
      EXPECT_THAT(ViolatedFields(answer.status), ElementsAre(bad.field));
      EXPECT_THAT(answer.response.secret(), IsEmpty());
    }
  }
  for (const char* user : {"ada", "bob", "dora", "sam"}) {
    EXPECT_THAT(client().List(user, /*show_revoked=*/true), IsEmpty());
  }
}

TEST_F(BadInputTest, AllViolationsAreNamedAtOnce) {
  v1::CreateTokenRequest request;
  request.set_parent("nobody");
  request.set_description("\x01");
  request.add_scopes("No.Such.Scope");
  request.add_scopes("OR.Folders");
  request.add_scopes("OR.Folders");
  request.add_audiences("");
  request.set_request_id("\t");
  const grpc::Status refused = TryCreate(request).status;
  EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(refused), ElementsAre("parent", "display_name", "description", "scopes[0]", "scopes[2]",
                                                   "audiences[0]", "expire_time", "request_id"));

  v1::CreateTokenRequest many = CreationFor("ada", "many wrong");
  for (int i = 0; i < 30; ++i) many.add_scopes(std::string(1'000, 'x'));
  const grpc::Status cut = TryCreate(many).status;
  EXPECT_LE(cut.error_details().size(), 4096u);
  const Refusal refusal = RefusalOf(cut);
  ASSERT_THAT(refusal.violations, AnyOf(SizeIs(21), SizeIs(11), SizeIs(6)));
  EXPECT_THAT(refusal.violations.back().second, HasSubstr(" more"));
  EXPECT_THAT(client().List("ada"), IsEmpty());
}

// As many as a message has room for. The answer stays small.
TEST_F(BadInputTest, FloodOfPathsOrScopesIsOneViolation) {
  v1::UpdateTokenRequest update;
  update.mutable_token()->set_name(client().Create("ada", "of ada").token.name());
  for (int i = 0; i < 60'000; ++i) update.mutable_update_mask()->add_paths("x");
  const grpc::Status refused = client().Call(&TokenStub::UpdateToken, PortalFor("ada"), update).status;
  EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(ViolatedFields(refused), ElementsAre("update_mask"));

  v1::CreateTokenRequest request = CreationFor("ada", "never made");
  request.clear_scopes();
  for (int i = 0; i < 60'000; ++i) request.add_scopes("x");
  EXPECT_THAT(ViolatedFields(TryCreate(request).status), ElementsAre("scopes"));
}

TEST_F(BadInputTest, LongestThatIsAllowedIsAllowed) {
  v1::CreateTokenRequest request = CreationFor("ada", "");
  for (int i = 0; i < 128; ++i) request.mutable_display_name()->append("\u00e9");
  request.set_description(std::string(1023, 'd') + "\n");
  for (int i = 0; i < 16; ++i) request.add_audiences(absl::StrCat("audience-", i));
  request.clear_expiration();
  Set(time().wall() + absl::Hours(24 * 365), *request.mutable_expire_time());
  request.set_request_id(std::string(64, '~'));
  const v1::CreateTokenResponse made = TryCreate(request).value();
  EXPECT_EQ(made.token().display_name(), request.display_name());
  EXPECT_EQ(made.token().expire_time().seconds(), request.expire_time().seconds());
}

TEST_F(BadInputTest, DryRunAnswersNoSecretAndKeepsNothing) {
  v1::CreateTokenRequest request = CreationFor("ada", "dry");
  request.set_validate_only(true);
  request.set_request_id("dry-run");
  const v1::CreateTokenResponse dry = TryCreate(request).value();
  EXPECT_THAT(dry.secret(), IsEmpty());
  EXPECT_THAT(dry.token().name(), IsEmpty());
  EXPECT_THAT(client().List("ada"), IsEmpty());
  request.set_validate_only(false);
  EXPECT_EQ(TryCreate(request).value().secret().size(), 53u);
}

TEST_F(BadInputTest, OnlyLocalUsersGetTokens) {
  for (const char* user : {"dora", "sam"}) {
    const Answer<v1::CreateTokenResponse> answer = TryCreate(CreationFor(user, "not for me"), user);
    EXPECT_THAT(answer.status, IsRefusal(StatusCode::FAILED_PRECONDITION, "USER_NOT_LOCAL")) << user;
    EXPECT_THAT(client().List(user, /*show_revoked=*/true), IsEmpty());
  }
  EXPECT_THAT(TryCreate(CreationFor("unheard-of", "nobody"), "unheard-of").status,
              IsRefusal(StatusCode::NOT_FOUND, "USER_NOT_FOUND"));
}

TEST_F(BadInputTest, SomebodyElsesParentIsRefusedWhetherOrNotThereIsSuchAUser) {
  const grpc::Status known = TryCreate(CreationFor("bob", "for bob")).status;
  EXPECT_THAT(known, IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  const grpc::Status unknown = TryCreate(CreationFor("unheard-of", "for nobody")).status;
  EXPECT_EQ(unknown.error_details(), known.error_details());
  EXPECT_EQ(unknown.error_message(), known.error_message());

  v1::ListTokensRequest list;
  list.set_parent("users/bob");
  const grpc::Status of_bob = client().Call(&TokenStub::ListTokens, PortalFor("ada"), list).status;
  EXPECT_THAT(of_bob, IsRefusal(StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED"));
  for (const char* parent : {"users/unheard-of", "users/-"}) {
    list.set_parent(parent);
    EXPECT_EQ(client().Call(&TokenStub::ListTokens, PortalFor("ada"), list).status.error_details(),
              of_bob.error_details());
  }
  EXPECT_THAT(client().List("bob"), IsEmpty());
}

TEST_F(BadInputTest, SomebodyElsesTokenAndNoTokenAreTheSame) {
  const MadeToken of_bob = client().Create("bob", "bob's own");
  const MadeToken own = client().Create("ada", "ada's own");
  const std::vector<std::string> names = {
      of_bob.token.name(),                                      // Somebody else's.
      "users/bob/tokens/00000000-0000-4000-8000-000000000000",  // None, of somebody.
      "users/nobody/tokens/" + of_bob.token.uid(),              // None, of nobody.
      "users/bob/tokens/" + own.token.uid(),                    // One's own, under another name.
      "users/ada/tokens/" + of_bob.token.uid(),                 // Somebody else's, under one's own name.
      "users/ada/tokens/00000000-0000-4000-8000-000000000000",  // None of one's own.
      "users/ada/tokens/not-a-uuid",
  };
  std::vector<grpc::Status> statuses;
  for (const std::string& name : names) {
    v1::GetTokenRequest get;
    get.set_name(name);
    v1::RevokeTokenRequest revoke;
    revoke.set_name(name);
    revoke.set_etag("\"1\"");
    v1::RegenerateTokenRequest regenerate;
    regenerate.set_name(name);
    v1::UpdateTokenRequest update;
    update.mutable_token()->set_name(name);
    update.mutable_token()->set_display_name("mine now");
    update.mutable_update_mask()->add_paths("display_name");
    for (const Headers& caller : {PortalFor("ada"), Person("ada")}) {
      statuses.push_back(client().Call(&TokenStub::GetToken, caller, get).status);
      statuses.push_back(client().Call(&TokenStub::RevokeToken, caller, revoke).status);
      statuses.push_back(client().Call(&TokenStub::RegenerateToken, caller, regenerate).status);
      statuses.push_back(client().Call(&TokenStub::UpdateToken, caller, update).status);
    }
  }
  EXPECT_THAT(statuses.front(), IsRefusal(StatusCode::NOT_FOUND, "TOKEN_NOT_FOUND"));
  for (const grpc::Status& status : statuses) {
    EXPECT_EQ(status.error_code(), statuses.front().error_code());
    EXPECT_EQ(status.error_message(), statuses.front().error_message());
    EXPECT_EQ(status.error_details(), statuses.front().error_details());
  }
  ASSERT_THAT(client().List("bob"), SizeIs(1));
  EXPECT_EQ(client().List("bob").front().SerializeAsString(), of_bob.token.SerializeAsString());
  EXPECT_TRUE(client().IntrospectNow(of_bob.secret).active());
  EXPECT_TRUE(client().IntrospectNow(own.secret).active());
}

TEST_F(BadInputTest, NameThatIsNoTokensIsRefused) {
  for (const char* name : {"", "ada", "users/ada", "users/ada/tokens/", "users//tokens/x", "users/Ada/tokens/x",
                           "users/ada/tokens/a/b", "users/ada/tokens/x y", "/users/ada/tokens/x"}) {
    v1::GetTokenRequest get;
    get.set_name(name);
    const grpc::Status refused = client().Call(&TokenStub::GetToken, PortalFor("ada"), get).status;
    EXPECT_THAT(refused, IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST")) << name;
    EXPECT_THAT(ViolatedFields(refused), ElementsAre("name"));
  }
}

TEST_F(BadInputTest, WhatHasEndedIsNotRegenerated) {
  const MadeToken revoked = client().Create("ada", "revoked");
  client().Revoke(revoked.token);
  v1::CreateTokenRequest short_lived = CreationFor("ada", "expired");
  short_lived.mutable_ttl()->set_seconds(1);
  const MadeToken expired = client().Create(short_lived);
  short_lived.set_display_name("both");
  const MadeToken both = client().Create(short_lived);
  client().Revoke(both.token);
  time().Advance(absl::Seconds(1));

  EXPECT_THAT(RegenerateStatus(revoked.token), IsRefusal(StatusCode::FAILED_PRECONDITION, "TOKEN_REVOKED"));
  EXPECT_THAT(RegenerateStatus(expired.token), IsRefusal(StatusCode::FAILED_PRECONDITION, "TOKEN_EXPIRED"));
  EXPECT_THAT(RegenerateStatus(both.token), IsRefusal(StatusCode::FAILED_PRECONDITION, "TOKEN_REVOKED"));
  v1::RegenerateTokenRequest with_new_end;
  with_new_end.set_name(expired.token.name());
  with_new_end.mutable_ttl()->set_seconds(60);
  EXPECT_THAT(TryRegenerate(with_new_end).status, IsRefusal(StatusCode::FAILED_PRECONDITION, "TOKEN_EXPIRED"));
  for (const MadeToken* made : {&revoked, &expired, &both}) {
    EXPECT_FALSE(client().IntrospectNow(made->secret).active());
    v1::UpdateTokenRequest update;
    update.mutable_token()->set_name(made->token.name());
    update.mutable_update_mask()->add_paths("description");
    EXPECT_EQ(client().Call(&TokenStub::UpdateToken, PortalFor("ada"), update).status.error_code(),
              StatusCode::FAILED_PRECONDITION);
  }
}

TEST_F(BadInputTest, RevokingTwiceChangesNothing) {
  const MadeToken made = client().Create("ada", "revoked twice");
  time().Advance(absl::Seconds(1));
  const v1::RevokeTokenResponse first = client().Revoke(made.token);
  time().Advance(absl::Seconds(5));
  v1::RevokeTokenRequest again;
  again.set_name(made.token.name());
  again.set_etag("\"of another time\"");
  const v1::RevokeTokenResponse second = client().Call(&TokenStub::RevokeToken, PortalFor("ada"), again).value();
  EXPECT_EQ(second.token().SerializeAsString(), first.token().SerializeAsString());
  EXPECT_GE(ToTime(second.last_accept_time()), ToTime(first.last_accept_time()));
}

TEST_F(BadInputTest, EtagThatHasChangedIsRefused) {
  const MadeToken made = client().Create("ada", "etag");
  client().Regenerate(made.token);
  v1::RevokeTokenRequest revoke;
  revoke.set_name(made.token.name());
  revoke.set_etag(made.token.etag());
  EXPECT_THAT(client().Call(&TokenStub::RevokeToken, PortalFor("ada"), revoke).status,
              IsRefusal(StatusCode::ABORTED, "ETAG_MISMATCH"));
  EXPECT_EQ(client().List("ada").front().state(), v1::Token::STATE_ACTIVE);
}

TEST_F(BadInputTest, ReplayedRequestIsToldAndDoneOnce) {
  v1::CreateTokenRequest request = CreationFor("ada", "made once");
  request.set_request_id("once");
  const v1::CreateTokenResponse made = TryCreate(request).value();

  const Answer<v1::CreateTokenResponse> replayed = TryCreate(request);
  EXPECT_THAT(replayed.status, IsRefusal(StatusCode::ALREADY_EXISTS, "REQUEST_REPLAYED"));
  EXPECT_THAT(RefusalOf(replayed.status).metadata, ElementsAre(std::pair("token", made.token().name())));
  EXPECT_THAT(replayed.response.secret(), IsEmpty());

  v1::CreateTokenRequest other = request;
  other.set_display_name("made of another body");
  const grpc::Status reused = TryCreate(other).status;
  EXPECT_THAT(reused, IsRefusal(StatusCode::INVALID_ARGUMENT, "REQUEST_ID_REUSED"));
  EXPECT_THAT(ViolatedFields(reused), ElementsAre("request_id"));
  EXPECT_THAT(client().List("ada"), SizeIs(1));

  // The id is ada's, for this method.
  v1::CreateTokenRequest of_bob = CreationFor("bob", "made once");
  of_bob.set_request_id("once");
  EXPECT_TRUE(TryCreate(of_bob, "bob").status.ok());

  v1::RegenerateTokenRequest regenerate;
  regenerate.set_name(made.token().name());
  regenerate.set_request_id("once");
  const v1::RegenerateTokenResponse again = TryRegenerate(regenerate).value();
  EXPECT_THAT(TryRegenerate(regenerate).status, IsRefusal(StatusCode::ALREADY_EXISTS, "REQUEST_REPLAYED"));
  EXPECT_TRUE(client().IntrospectNow(again.secret()).active());

  // Known for a day, also by another process and of a token that is gone.
  client().Revoke(made.token());
  server_->Restart();
  EXPECT_THAT(TryCreate(request).status, IsRefusal(StatusCode::ALREADY_EXISTS, "REQUEST_REPLAYED"));
  time().Advance(absl::Hours(24));
  EXPECT_TRUE(TryCreate(request).status.ok());
}

TEST_F(BadInputTest, NameOfALiveTokenIsTaken) {
  const MadeToken made = client().Create("ada", "taken");
  EXPECT_THAT(TryCreate(CreationFor("ada", "taken")).status,
              IsRefusal(StatusCode::ALREADY_EXISTS, "DISPLAY_NAME_TAKEN"));
  EXPECT_THAT(client().List("ada"), SizeIs(1));
  client().Revoke(made.token);
  EXPECT_TRUE(TryCreate(CreationFor("ada", "taken")).status.ok());
}

TEST_F(BadInputTest, FiftyLiveTokensAreEnough) {
  for (int i = 0; i < 50; ++i) client().Create("bob", absl::StrCat("number ", i));
  const grpc::Status refused = TryCreate(CreationFor("bob", "number 50"), "bob").status;
  EXPECT_THAT(refused, IsRefusal(StatusCode::RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"));
  EXPECT_EQ(RefusalOf(refused).quota_subject, "users/bob");
  EXPECT_THAT(client().List("bob"), SizeIs(50));
}

TEST_F(BadInputTest, PageThatIsNoneIsRefused) {
  client().Create("ada", "page 1");
  client().Create("ada", "page 2");
  v1::ListTokensRequest list;
  list.set_parent("users/ada");
  list.set_page_size(1);
  const auto list_as = [](const v1::ListTokensRequest& request) {
    return client().Call(&TokenStub::ListTokens, PortalFor("ada"), request);
  };
  const std::string next = list_as(list).value().next_page_token();
  list.set_page_token(next);
  EXPECT_EQ(list_as(list).value().tokens(0).display_name(), "page 2");

  list.set_show_revoked(true);  // Another list.
  EXPECT_THAT(ViolatedFields(list_as(list).status), ElementsAre("page_token"));
  list.set_page_size(-1);
  list.set_page_token("no page");
  EXPECT_THAT(ViolatedFields(list_as(list).status), ElementsAre("page_size", "page_token"));

  v1::ListScopesRequest scopes;
  scopes.set_page_size(-1);
  scopes.set_page_token(next);
  EXPECT_THAT(ViolatedFields(client().Call(&TokenStub::ListScopes, Nobody(), scopes).status),
              ElementsAre("page_size", "page_token"));
}

}  // namespace
}  // namespace pat
