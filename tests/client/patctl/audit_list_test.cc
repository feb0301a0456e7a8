#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/patctl/time_text.h"
#include "google/protobuf/util/json_util.h"
#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class AuditListTest : public PatctlTest {
 protected:
  AuditListTest() {
    v1::AuditEvent revoke;
    *revoke.mutable_time() = ToProto(client::ManualClock::Start() - absl::Minutes(2));
    revoke.set_principal("user:admin");
    revoke.set_on_behalf_of("users/admin");
    revoke.set_method("pat.v1.TokenService/RevokeToken");
    revoke.set_target("users/bob/tokens/1");
    revoke.set_peer("ipv4:10.0.0.7:47110");
    revoke.set_outcome("OK");
    revoke.set_count(1);
    v1::AuditEvent refused;
    *refused.mutable_time() = ToProto(client::ManualClock::Start() - absl::Minutes(1));
    refused.set_principal("portal:https://portal");
    refused.set_on_behalf_of("users/bob");
    refused.set_method("pat.v1.UserService/ListUsers");
    refused.set_outcome("ROLE_REQUIRED");
    refused.set_detail("line\nend");
    refused.set_count(12);
    v1::AuditEvent purge;
    *purge.mutable_time() = ToProto(client::ManualClock::Start());
    purge.set_principal("system");
    purge.set_method("purge");
    purge.set_outcome("OK");
    purge.set_count(1);
    server_.audit_events = {revoke, refused, purge};
  }

  const v1::ListAuditEventsRequest& first() const { return server_.audit_requests.front(); }
};

TEST_F(AuditListTest, ShowsAllPages) {
  EXPECT_EQ(RunAsAdmin({"audit", "list"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ListAuditEvents", "ListAuditEvents"));
  EXPECT_EQ(first().page_size(), 200);
  EXPECT_EQ(first().user(), "");
  EXPECT_EQ(first().token(), "");
  EXPECT_FALSE(first().has_start_time());
  EXPECT_FALSE(first().has_end_time());
  EXPECT_FALSE(first().newest_first());
  EXPECT_EQ(written(),
            "TIME                  WHO                                  DID                       TO                  "
            "OUTCOME "
            "           FROM                 DETAIL\n"
            "2026-11-23 15:02:05Z  user:admin                           TokenService/RevokeToken  users/bob/tokens/1  "
            "OK      "
            "           ipv4:10.0.0.7:47110\n"
            "2026-11-23 15:03:05Z  portal:https://portal for users/bob  UserService/ListUsers     -                   "
            "ROLE_REQUIRED x12  -                    line\\x0aend\n"
            "2026-11-23 15:04:05Z  system                               purge                     -                   "
            "OK      "
            "           -\n");
  EXPECT_EQ(said(), "");
}

TEST_F(AuditListTest, GoesOnBehindAnEmptyPage) {
  server_.empty_pages = true;
  for (const char* format : {"table", "json", "jsonl"}) {
    server_.calls.clear();
    EXPECT_EQ(RunAsAdmin({"audit", "list", "--output", format}), 0);
    EXPECT_EQ(server_.calls.size(), 4);
    EXPECT_THAT(written(), HasSubstr("users/bob/tokens/1"));
    EXPECT_THAT(written(), HasSubstr("purge"));
    EXPECT_EQ(said(), "");
  }
  // An empty one takes nothing from the limit.
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--limit", "2"}), 0);
  EXPECT_THAT(written(), HasSubstr("ListUsers"));
  EXPECT_THAT(said(), HasSubstr("there are more than these 2 events"));
  server_.audit_events.clear();
  EXPECT_EQ(RunAsAdmin({"audit", "list"}), 0);
  EXPECT_EQ(said(), "no events\n");
}

TEST_F(AuditListTest, AsksForWhatIsWanted) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--about", "bob", "--token", "users/bob/tokens/1", "--since", "24h", "--until",
                        "2026-11-23", "--newest-first"}),
            0);
  EXPECT_EQ(first().user(), "users/bob");
  EXPECT_EQ(first().token(), "users/bob/tokens/1");
  EXPECT_EQ(ToTime(first().start_time()), client::ManualClock::Start() - absl::Hours(24));
  EXPECT_EQ(ToTime(first().end_time()), absl::FromCivil(absl::CivilDay(2026, 11, 24), absl::UTCTimeZone()));
  EXPECT_TRUE(first().newest_first());
}

TEST_F(AuditListTest, FindsATokenByIdOrDisplayName) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--about", "bob", "--token", kCi}), 0);
  EXPECT_EQ(first().token(), std::string("users/bob/tokens/") + kCi);
  EXPECT_THAT(server_.calls, Not(::testing::Contains("ListTokens")));

  server_.audit_requests.clear();
  server_.tokens = {MakeToken(kCi, "ci")};
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--about", "ada", "--token", "ci"}), 0);
  EXPECT_EQ(first().token(), std::string("users/ada/tokens/") + kCi);
  EXPECT_EQ(server_.list_request.parent(), "users/ada");
}

TEST_F(AuditListTest, ASecretIsNoName) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--token", client::kFakeSecret}), 2);
  EXPECT_THAT(said(), Not(HasSubstr(client::kFakeSecret)));
  EXPECT_THAT(server_.calls, IsEmpty());
}

TEST_F(AuditListTest, StopsAtTheLimitAndSaysSo) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--limit", "1", "--output", "json"}), 0);
  EXPECT_THAT(server_.calls, ElementsAre("ListAuditEvents"));
  EXPECT_EQ(first().page_size(), 1);
  EXPECT_THAT(written(), HasSubstr("RevokeToken"));
  EXPECT_THAT(written(), Not(HasSubstr("ListUsers")));
  EXPECT_THAT(said(), HasSubstr("there are more than these 1 events: narrow it down"));
  EXPECT_THAT(written(), HasSubstr("\"nextPageToken\": \"2\""));

  server_.audit_requests.clear();
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--limit", "3"}), 0);
  EXPECT_EQ(server_.audit_requests.back().page_size(), 1);
  EXPECT_THAT(written(), HasSubstr("purge"));
  EXPECT_EQ(said(), "");
}

TEST_F(AuditListTest, JsonHasAllInOneList) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--output", "json"}), 0);
  v1::ListAuditEventsResponse all;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(written(), &all).ok());
  EXPECT_EQ(all.audit_events_size(), 3);
  EXPECT_EQ(all.next_page_token(), "");
}

TEST_F(AuditListTest, JsonLinesHaveAnEventEach) {
  EXPECT_EQ(RunAsAdmin({"audit", "list", "--output", "jsonl"}), 0);
  const std::vector<std::string> lines = absl::StrSplit(written(), '\n');
  ASSERT_EQ(lines.size(), 4);
  EXPECT_EQ(lines[3], "");
  for (int i = 0; i < 3; ++i) {
    v1::AuditEvent event;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(lines[i], &event).ok()) << lines[i];
    EXPECT_EQ(event.method(), server_.audit_events[i].method());
    EXPECT_EQ(event.detail(), server_.audit_events[i].detail());
  }
}

TEST_F(AuditListTest, SaysThatThereAreNone) {
  server_.audit_events.clear();
  EXPECT_EQ(RunAsAdmin({"audit", "list"}), 0);
  EXPECT_EQ(said(), "no events\n");
  EXPECT_EQ(written(), "");
}

TEST_F(AuditListTest, DoesNotAskForTheSamePageForEver) {
  server_.fixed_page_token = "1";
  EXPECT_EQ(RunAsAdmin({"audit", "list"}), 1);
  EXPECT_THAT(said(), HasSubstr("the same page for ever"));
}

TEST_F(AuditListTest, IsForAdministrators) {
  server_.error = client::ErrorWith(grpc::StatusCode::PERMISSION_DENIED, "for administrators", "ROLE_REQUIRED");
  EXPECT_EQ(RunAsAda({"audit", "list"}), 1);
  EXPECT_THAT(said(), HasSubstr("reason: ROLE_REQUIRED"));
  EXPECT_EQ(written(), "");
}

}  // namespace
}  // namespace pat::patctl
