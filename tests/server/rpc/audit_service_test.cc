// AuditService over gRPC, and what the guard writes down of refusals.
#include "server/rpc/audit_service.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/rpc/management_server.h"
#include "tests/support/plain_secret.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class AuditServiceTest : public ManagementTest {
 protected:
  static v1::GetTokenRequest GetRequest(const std::string& name) {
    v1::GetTokenRequest request;
    request.set_name(name);
    return request;
  }
  Answer<v1::RevokeTokenResponse> Revoke(const IssuedToken& token, const std::string& user_id) {
    v1::RevokeTokenRequest request;
    request.set_name(token.name);
    return Call(&Tokens::RevokeToken, request, As(user_id));
  }
  // "admin RevokeToken", of each that was listed.
  std::vector<std::string> Listed(const v1::ListAuditEventsRequest& request) {
    const auto answer = Call(&Audit::ListAuditEvents, request);
    EXPECT_EQ(Outcome(answer), "OK");
    std::vector<std::string> lines;
    for (const v1::AuditEvent& event : answer.message.audit_events()) {
      lines.push_back(absl::StrCat(event.principal(), " ", event.method(), " ", event.target()));
    }
    return lines;
  }
};

// ---- The list.

TEST_F(AuditServiceTest, OnlyAdministratorsLook) {
  for (const Metadata& metadata : {As("ada"), AsPortalFor("ada"), Metadata()}) {
    EXPECT_EQ(Outcome(Call(&Audit::ListAuditEvents, v1::ListAuditEventsRequest(), metadata)),
              "PERMISSION_DENIED ROLE_REQUIRED");
  }
}

// A portal that tries to be an administrator is what one looks for afterwards: it is known by its connection.
TEST_F(AuditServiceTest, APortalThatIsRefusedAnAdministratorIsNoted) {
  v1::ListTokensRequest list;
  list.set_parent("users/admin");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Outcome(Call(&Tokens::ListTokens, list, AsPortalFor("admin"))), "PERMISSION_DENIED ROLE_REQUIRED");
  }
  ASSERT_EQ(AuditRows().size(), 1u);
  const AuditRecord row = AuditRows().front();
  EXPECT_EQ(row.principal, "portal as admin");
  EXPECT_EQ(row.user_id, "admin");
  EXPECT_EQ(row.method, "pat.v1.TokenService/ListTokens");
  EXPECT_EQ(row.target, "users/admin");
  EXPECT_EQ(row.outcome, "ROLE_REQUIRED");
  EXPECT_EQ(row.count, 3u);
  EXPECT_THAT(row.peer, StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(server_.audit().refused_nobody(), 0u);
}

TEST_F(AuditServiceTest, AChangeIsShownWithAllThatIsKnownOfIt) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_EQ(Outcome(Revoke(token, "admin")), "OK");
  v1::ListAuditEventsRequest request;
  request.set_newest_first(true);
  request.set_page_size(1);
  const auto answer = Call(&Audit::ListAuditEvents, request);
  ASSERT_EQ(Outcome(answer), "OK");
  ASSERT_EQ(answer.message.audit_events_size(), 1);
  const v1::AuditEvent& event = answer.message.audit_events(0);
  EXPECT_EQ(event.time().seconds(), absl::ToUnixSeconds(authority_.clock.Now()));
  EXPECT_EQ(event.principal(), "user:admin");
  EXPECT_EQ(event.on_behalf_of(), "users/admin");
  EXPECT_EQ(event.method(), "pat.v1.TokenService/RevokeToken");
  EXPECT_EQ(event.target(), token.name);
  EXPECT_THAT(event.peer(), StartsWith("ipv4:127.0.0.1:"));
  EXPECT_EQ(event.outcome(), "OK");
  EXPECT_EQ(event.count(), 1);
}

TEST_F(AuditServiceTest, EventsAreFoundByUserTokenAndTime) {
  const IssuedToken first = authority_.Issue("ada");
  const IssuedToken second = authority_.Issue("bob");
  authority_.time.Advance(absl::Hours(1));
  const absl::Time between = authority_.clock.Now();
  ASSERT_EQ(Outcome(Revoke(first, "ada")), "OK");
  ASSERT_EQ(Outcome(Revoke(second, "bob")), "OK");
  const std::string create = "pat.v1.TokenService/CreateToken";
  const std::string revoke = "pat.v1.TokenService/RevokeToken";

  v1::ListAuditEventsRequest request;
  request.set_user("users/ada");
  EXPECT_THAT(Listed(request), ElementsAre(absl::StrCat("user:ada ", create, " ", first.name),
                                           absl::StrCat("user:ada ", revoke, " ", first.name)));
  request.set_newest_first(true);
  EXPECT_THAT(Listed(request), ElementsAre(absl::StrCat("user:ada ", revoke, " ", first.name),
                                           absl::StrCat("user:ada ", create, " ", first.name)));
  request = {};
  request.set_token(second.name);
  request.mutable_start_time()->set_seconds(absl::ToUnixSeconds(between));
  EXPECT_THAT(Listed(request), ElementsAre(absl::StrCat("user:bob ", revoke, " ", second.name)));
  request.clear_start_time();
  request.mutable_end_time()->set_seconds(absl::ToUnixSeconds(between));
  EXPECT_THAT(Listed(request), ElementsAre(absl::StrCat("user:bob ", create, " ", second.name)));
}

TEST_F(AuditServiceTest, PagesFollowEachOther) {
  for (int i = 0; i < 3; ++i) authority_.Issue("ada");
  v1::ListAuditEventsRequest request;
  request.set_user("users/ada");
  request.set_page_size(2);
  const auto first = Call(&Audit::ListAuditEvents, request);
  ASSERT_EQ(Outcome(first), "OK");
  EXPECT_EQ(first.message.audit_events_size(), 2);
  ASSERT_NE(first.message.next_page_token(), "");
  request.set_page_token(first.message.next_page_token());
  const auto second = Call(&Audit::ListAuditEvents, request);
  ASSERT_EQ(Outcome(second), "OK");
  EXPECT_EQ(second.message.audit_events_size(), 1);
  EXPECT_EQ(second.message.next_page_token(), "");

  // A page belongs to its list.
  request.set_user("users/bob");
  EXPECT_THAT(FieldsOf(Call(&Audit::ListAuditEvents, request).status), ElementsAre("page_token"));
}

TEST_F(AuditServiceTest, AllThatIsWrongIsNamed) {
  v1::ListAuditEventsRequest request;
  request.set_user("ada");
  request.set_token("users/ada");
  request.mutable_start_time()->set_nanos(-1);
  request.set_page_size(-1);
  const auto refused = Call(&Audit::ListAuditEvents, request);
  EXPECT_EQ(Outcome(refused), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(refused.status), UnorderedElementsAre("user", "token", "start_time", "page_size"));
}

// ---- Refusals.

TEST_F(AuditServiceTest, WhoeverWasRefusedIsWrittenDown) {
  const IssuedToken foreign = authority_.Issue("bob");
  const size_t before = AuditRows().size();
  // By the table of rights, by the rules, by the form of the request.
  EXPECT_FALSE(Call(&Users::ListUsers, v1::ListUsersRequest(), As("ada")).status.ok());
  EXPECT_FALSE(Call(&Tokens::GetToken, GetRequest(foreign.name), AsPortalFor("ada")).status.ok());
  EXPECT_FALSE(Call(&Tokens::CreateToken, v1::CreateTokenRequest(), As("bob")).status.ok());
  EXPECT_FALSE(Call(&PolicyStub::GetPolicy, v1::GetPolicyRequest(), {}).status.ok());
  std::vector<AuditRecord> rows = AuditRows();
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(before));
  std::vector<std::string> lines;
  for (const AuditRecord& row : rows) {
    lines.push_back(absl::StrCat(row.principal, " ", row.method, " ", row.target, " ", row.outcome));
    EXPECT_THAT(row.peer, StartsWith("ipv4:127.0.0.1:"));
  }
  EXPECT_THAT(lines, UnorderedElementsAre(
                         "user:ada pat.v1.UserService/ListUsers  ROLE_REQUIRED",
                         absl::StrCat("portal as ada pat.v1.TokenService/GetToken ", foreign.name, " TOKEN_NOT_FOUND"),
                         "user:bob pat.v1.TokenService/CreateToken  INVALID_REQUEST",
                         "introspector pat.v1.PolicyService/GetPolicy policy ROLE_REQUIRED"));
  EXPECT_EQ(server_.audit().refused_nobody(), 0);
}

TEST_F(AuditServiceTest, WhoIsNobodyIsOnlyCounted) {
  EXPECT_FALSE(Call(&Users::ListUsers, v1::ListUsersRequest(), {{"authorization", Basic("ada", "wrong")}}).status.ok());
  EXPECT_FALSE(Call(&Tokens::GetToken, GetRequest("users/ada"), {{"authorization", "Nonsense"}}).status.ok());
  EXPECT_THAT(AuditLines(), IsEmpty());
  EXPECT_EQ(server_.audit().refused_nobody(), 2);
}

TEST_F(AuditServiceTest, NothingOfAMinuteIsWrittenTwice) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Call(&Users::ListUsers, v1::ListUsersRequest(), As("ada")).status.ok());
  const std::vector<AuditRecord> rows = AuditRows();
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].count, 3);
}

// A secret in the wrong place is well-formed as the last part of a name.
TEST_F(AuditServiceTest, OnlyTheNameOfSomethingBecomesATarget) {
  const std::string secret = NewPlainSecret();
  for (const std::string& name : {"users/ada/tokens/" + secret, secret, std::string(64, 'a'), std::string("users/A")}) {
    EXPECT_FALSE(Call(&Tokens::GetToken, GetRequest(name), As("ada")).status.ok()) << name;
  }
  EXPECT_THAT(AuditLines(),
              UnorderedElementsAre("user:ada pat.v1.TokenService/GetToken users/ada/tokens/? TOKEN_NOT_FOUND",
                                   "user:ada pat.v1.TokenService/GetToken  INVALID_REQUEST"));
  for (const AuditRecord& row : AuditRows()) EXPECT_THAT(row.detail, Not(HasSubstr("pat_")));
}

// That the store fails is no refusal; and there would be nowhere to write it.
TEST_F(AuditServiceTest, AFailingStoreHasRefusedNobody) {
  const IssuedToken token = authority_.Issue("ada");
  ASSERT_EQ(Outcome(Call(&Tokens::GetToken, GetRequest(token.name), As("ada"))), "OK");  // The password is remembered.
  const size_t before = AuditRows().size();
  authority_.store.FailReadsWith(absl::InternalError("an engine's text"));
  EXPECT_EQ(Outcome(Call(&Tokens::GetToken, GetRequest(token.name), As("ada"))), "UNAVAILABLE STORE_UNAVAILABLE");
  authority_.store.FailReadsWith(absl::OkStatus());
  EXPECT_EQ(AuditRows().size(), before);
  EXPECT_EQ(server_.audit().refused_nobody(), 0);
}

}  // namespace
}  // namespace pat
