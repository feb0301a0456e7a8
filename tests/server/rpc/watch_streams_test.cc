// WatchRevocations over gRPC: who may, what comes, and from where one can go on. Many streams, and slow ones, are in
// watch_streams_load_test.cc.
#include "server/rpc/watch_streams.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/crypto/bytes.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/status_details.h"
#include "tests/server/rpc/watcher.h"
#include "tests/store/engines.h"
#include "tests/store/records_for_tests.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class WatchStreamsTest : public testing::Test {
 protected:
  explicit WatchStreamsTest(ListenerRole role = ListenerRole::kDev)
      : server_(authority_, authority_.facts, executor_, role,
                {.incarnation = [this] { return authority_.store.Incarnation(); }}) {
    for (const char* id : {"ada", "admin"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, "password");
    }
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
  }

  std::unique_ptr<Watcher> Watch(const std::string& resume_token = "", const Metadata& metadata = {}) {
    return std::make_unique<Watcher>(server_.stub(), resume_token, metadata);
  }
  // Of a stream that is refused.
  std::string Refusal(const std::string& resume_token, const Metadata& metadata) {
    return Outcome(Watch(resume_token, metadata)->Finish());
  }
  static std::string Tokens(const std::vector<IssuedToken>& tokens) {
    std::string text = "tokens";
    for (const IssuedToken& token : tokens) absl::StrAppend(&text, " ", token.uid.ToString());
    return text;
  }

  TestAuthority authority_;
  ThreadPool executor_{1, 16};
  IntrospectionServer server_;
};

class WatchOnPlainListenerTest : public WatchStreamsTest {
 protected:
  WatchOnPlainListenerTest() : WatchStreamsTest(ListenerRole::kNone) {}
};
class WatchOnUnixListenerTest : public WatchStreamsTest {
 protected:
  WatchOnUnixListenerTest() : WatchStreamsTest(ListenerRole::kIntrospector) {}
};

// ---- Who may.

TEST_F(WatchOnPlainListenerTest, IntrospectorsAndAdministratorsMay) {
  EXPECT_EQ(Refusal("", {}), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(Refusal("", {{"authorization", Basic("ada", "password")}}), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Refusal("", {{"authorization", Basic("admin", "wrong")}}), "UNAUTHENTICATED CREDENTIALS_INVALID");
  const IssuedToken token = authority_.Issue("ada");
  EXPECT_EQ(Refusal("", {{"authorization", "Bearer " + token.secret}}), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Refusal("garbage", {}), "UNAUTHENTICATED CREDENTIALS_MISSING") << "before anything else";

  const auto watcher = Watch("", {{"authorization", Basic("admin", "password")}});
  EXPECT_EQ(watcher->Next(), "heartbeat");
  ASSERT_TRUE(server_.audit().Flush(/*all=*/true).ok());
  const AuditPage page = authority_.engine->ListAudit({.user_id = "admin", .limit = 10}).value();
  ASSERT_EQ(page.rows.size(), 1u) << "a person who looks into something is written down";
  EXPECT_EQ(page.rows[0].method, "pat.v1.IntrospectionService/WatchRevocations");
  EXPECT_EQ(page.rows[0].outcome, "OK");
}

// What is a right no longer ends with the change that took it, and not only when somebody calls again.
TEST_F(WatchOnPlainListenerTest, EndsWithTheRightsOfItsAdministrator) {
  const Metadata as_admin = {{"authorization", Basic("admin", "password")}};
  const auto end_by = [&](const std::function<void()>& change) {
    const auto watcher = Watch("", as_admin);
    EXPECT_EQ(watcher->Next(), "heartbeat");
    change();
    EXPECT_EQ(watcher->Next(), "end");
    return Outcome(watcher->Finish());
  };
  const auto set = [&](bool administrator, bool disabled) {
    authority_.ChangeUser("admin", [=](UserRecord& user) {
      user.administrator = administrator;
      user.disabled = disabled;
    });
  };
  EXPECT_EQ(end_by([&] { set(/*administrator=*/false, /*disabled=*/false); }), "PERMISSION_DENIED ROLE_REQUIRED");
  set(/*administrator=*/true, /*disabled=*/false);
  EXPECT_EQ(end_by([&] { set(/*administrator=*/true, /*disabled=*/true); }), "UNAUTHENTICATED CREDENTIALS_INVALID");
  set(/*administrator=*/true, /*disabled=*/false);
  EXPECT_EQ(end_by([&] {
              authority_.DeleteUser("admin");
              authority_.AddUser("admin");
              set(/*administrator=*/true, /*disabled=*/false);
            }),
            "UNAUTHENTICATED CREDENTIALS_INVALID")
      << "another one of the name";
}

// Also if a change is told with the commit that takes the right.
TEST_F(WatchOnPlainListenerTest, TellsNothingToWhoIsNoAdministratorAnyMore) {
  const auto watcher = Watch("", {{"authorization", Basic("admin", "password")}});
  EXPECT_EQ(watcher->Next(), "heartbeat");
  authority_.ChangeUser("admin", [](UserRecord& user) { user.disabled = true; });  // Which is told as "users/admin".
  EXPECT_EQ(watcher->Next(), "end");
}

TEST_F(WatchStreamsTest, AServicesStreamGoesOnWhateverHappensToUsers) {
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = false; });
  authority_.DeleteUser("admin");
  EXPECT_EQ(watcher->Next(), "users/admin");
}

TEST_F(WatchOnUnixListenerTest, TheListenersRoleIsOne) { EXPECT_EQ(Watch()->Next(), "heartbeat"); }

// ---- What comes.

TEST_F(WatchStreamsTest, EachKindAsItHappens) {
  const IssuedToken first = authority_.Issue("ada");
  const IssuedToken second = authority_.Issue("ada");
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  authority_.Revoke(first);
  EXPECT_EQ(watcher->Next(), Tokens({first}));
  authority_.Regenerate(second);
  EXPECT_EQ(watcher->Next(), Tokens({second}));
  authority_.ChangeUser("ada", [](UserRecord& user) { user.disabled = true; });
  EXPECT_EQ(watcher->Next(), "users/ada");
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.tokens_disabled = true; });
  EXPECT_EQ(watcher->Next(), "all");
  RevokeAll(authority_.store, std::nullopt, authority_.clock.Now());
  EXPECT_EQ(watcher->Next(), "all");
  authority_.DeleteUser("ada");
  EXPECT_EQ(watcher->Next(), "users/ada");
}

TEST_F(WatchStreamsTest, NothingElse) {
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  authority_.AddUser("bob");
  const IssuedToken token = authority_.Issue("bob");
  authority_.ChangePolicy([](PolicyRecord& policy) { policy.maximum_live_tokens = 7; });
  authority_.ChangeUser("bob", [](UserRecord& user) { user.administrator = true; });
  authority_.Revoke(token);
  EXPECT_EQ(watcher->Next(), Tokens({token}));
}

TEST_F(WatchStreamsTest, HeartbeatsEveryFiveSeconds) {
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  const std::string first = watcher->resume_token();
  // Something that is no change moves the position on, and says nothing.
  authority_.AddUser("bob");
  authority_.time.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  const IssuedToken token = authority_.Issue("bob");
  authority_.Revoke(token);
  EXPECT_EQ(watcher->Next(), Tokens({token})) << "no heartbeat before its time";
  authority_.time.Advance(absl::Seconds(5));
  EXPECT_EQ(watcher->Next(), "heartbeat");
  EXPECT_NE(watcher->resume_token(), first);
}

TEST_F(WatchStreamsTest, NoSecretAndNoDigest) {
  const auto watcher = Watch();
  std::string all;
  const auto read = [&] { all += watcher->NextMessage().value().SerializeAsString(); };
  read();
  std::vector<std::string> forbidden;
  const auto forbid = [&](const IssuedToken& token) {
    const std::string digest(AsText(token.digest.bytes));
    forbidden.insert(forbidden.end(), {token.secret, token.secret.substr(4), digest, absl::BytesToHexString(digest),
                                       absl::Base64Escape(digest)});
    const TokenRecord record = authority_.engine->GetToken(token.uid).value().value();
    forbidden.emplace_back(reinterpret_cast<const char*>(record.hmac.mac.data()), record.hmac.mac.size());
  };
  for (int i = 0; i < 5; ++i) {
    const IssuedToken token = authority_.Issue("ada");
    forbid(token);
    const IssuedToken regenerated = authority_.Regenerate(token);
    read();
    forbid(regenerated);
    authority_.Revoke(regenerated);
    read();
  }
  for (const std::string& text : forbidden) EXPECT_THAT(all, Not(HasSubstr(text)));
}

// ---- From where one can go on.

TEST_F(WatchStreamsTest, GoesOnWithoutAGap) {
  std::vector<IssuedToken> tokens;
  for (int i = 0; i < 4; ++i) tokens.push_back(authority_.Issue("ada"));
  auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  authority_.Revoke(tokens[0]);
  EXPECT_EQ(watcher->Next(), Tokens({tokens[0]}));
  const std::string resume_token = watcher->resume_token();
  watcher = nullptr;
  authority_.Revoke(tokens[1]);
  authority_.Revoke(tokens[2]);
  watcher = Watch(resume_token);
  EXPECT_EQ(watcher->Next(), Tokens({tokens[1], tokens[2]}));
  authority_.Revoke(tokens[3]);
  EXPECT_EQ(watcher->Next(), Tokens({tokens[3]}));
  // Nothing missed: the first message comes at once all the same.
  EXPECT_EQ(Watch(watcher->resume_token())->Next(), "heartbeat");
}

TEST_F(WatchStreamsTest, ResetsWhoCannotGoOn) {
  const IssuedToken token = authority_.Issue("ada");
  std::string resume_token;
  {
    const auto watcher = Watch();
    EXPECT_EQ(watcher->Next(), "heartbeat");
    resume_token = watcher->resume_token();
  }
  const std::string other_store = absl::StrCat("v1.", std::string(32, '0'), ".1");
  for (const std::string& cannot : {std::string("garbage"), other_store, resume_token + "9"}) {
    const auto watcher = Watch(cannot);
    EXPECT_EQ(watcher->Next(), "reset") << cannot;
    EXPECT_EQ(Watch(watcher->resume_token())->Next(), "heartbeat");
  }
  authority_.Revoke(token);
  ASSERT_TRUE(authority_.engine
                  ->Commit([](TokenTransaction& transaction) -> absl::StatusOr<Decision> {
                    EXPECT_GT(*transaction.DeleteChangesThrough(transaction.Sequence(), 100), 0u);
                    return Decision::kCommit;
                  })
                  .ok());
  EXPECT_EQ(Watch(resume_token)->Next(), "reset") << "what was missed is removed";
}

TEST_F(WatchStreamsTest, ARequestThatIsNone) {
  EXPECT_EQ(Refusal(std::string(2000, 'x'), {}), "INVALID_ARGUMENT INVALID_REQUEST");
}

TEST_F(WatchStreamsTest, EndsWhenTheStoreCannotBeRead) {
  const auto watcher = Watch();
  EXPECT_EQ(watcher->Next(), "heartbeat");
  const std::string resume_token = watcher->resume_token();
  const IssuedToken token = authority_.Issue("ada");
  authority_.store.FailReadsWith(absl::UnavailableError("text of the disk"));
  authority_.time.Advance(absl::Seconds(5));
  EXPECT_EQ(watcher->Next(), "end");
  const grpc::Status status = watcher->Finish();
  EXPECT_EQ(Outcome(status), "UNAVAILABLE STORE_UNAVAILABLE");
  EXPECT_THAT(status.error_message(), Not(HasSubstr("disk")));
  authority_.store.FailReadsWith(absl::OkStatus());
  authority_.Revoke(token);
  EXPECT_EQ(Watch(resume_token)->Next(), Tokens({token}));
}

// A server of another process, or the same one later: what was told before its end is not needed to go on.
TEST_F(WatchStreamsTest, GoesOnOverARestartOfTheServerAndTheStore) {
  const std::unique_ptr<EngineUnderTest> engine = MakeRocksDbEngine();
  const UserRecord user = UserNumber(1);
  ASSERT_EQ(Put(engine->store(), user), absl::OkStatus());
  for (uint64_t number = 1; number <= 3; ++number) {
    TokenRecord token = TokenNumber(number, user);
    ASSERT_EQ(Insert(engine->store(), token), absl::OkStatus());
  }
  const auto revoke = [&](uint64_t number) {
    TokenRecord token = engine->store().GetToken(TokenUidNumber(number)).value().value();
    token.revoke_time = At(1);
    ASSERT_EQ(Put(engine->store(), token), absl::OkStatus());
  };
  const auto serve = [&] {
    return std::make_unique<IntrospectionServer>(authority_, authority_.facts, executor_, ListenerRole::kDev,
                                                 IntrospectionServiceOptions{}, &engine->store());
  };
  auto server = serve();
  auto watcher = std::make_unique<Watcher>(server->stub(), "");
  EXPECT_EQ(watcher->Next(), "heartbeat");
  revoke(1);
  EXPECT_EQ(watcher->Next(), absl::StrCat("tokens ", TokenUidNumber(1).ToString()));
  const std::string resume_token = watcher->resume_token();
  revoke(2);
  server->Stop();
  watcher = nullptr;
  server = nullptr;
  ASSERT_EQ(engine->Reopen(), absl::OkStatus());
  revoke(3);
  server = serve();
  watcher = std::make_unique<Watcher>(server->stub(), resume_token);
  EXPECT_EQ(watcher->Next(), absl::StrCat("tokens ", TokenUidNumber(2).ToString(), " ", TokenUidNumber(3).ToString()));
  watcher = nullptr;
  server = nullptr;
}

// ---- The incarnation in answers.

TEST_F(WatchStreamsTest, AnswersToSidecarsCarryTheIncarnation) {
  const IssuedToken token = authority_.Issue("ada");
  const auto incarnations = [&](const Metadata& metadata, bool batch) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::IntrospectResponse response;
    v1::BatchIntrospectResponse responses;
    const grpc::Status status = batch ? server_.stub().BatchIntrospect(&context, {}, &responses)
                                      : server_.stub().Introspect(&context, RequestFor(token.secret), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::string> values;
    const auto [begin, end] = context.GetServerInitialMetadata().equal_range("x-pat-incarnation");
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
    return values;
  };
  const std::string incarnation = authority_.store.Incarnation();
  for (const bool batch : {false, true}) {
    EXPECT_THAT(incarnations({}, batch), ElementsAre(incarnation));
    EXPECT_THAT(incarnations({{"authorization", Basic("admin", "password")}}, batch), ElementsAre());
  }
}

TEST_F(WatchOnUnixListenerTest, AnswersToOthersDoNot) {
  grpc::ClientContext context;
  v1::IntrospectResponse response;
  ASSERT_TRUE(server_.stub().Introspect(&context, RequestFor(authority_.Issue("ada").secret), &response).ok());
  EXPECT_EQ(context.GetServerInitialMetadata().count("x-pat-incarnation"), 0u);
}

}  // namespace
}  // namespace pat
