// ReportUse over gRPC: who may, what is wrong, and what comes of it.
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/authn/passwords.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/status_details.h"
#include "tests/support/test_authority.h"

namespace pat {
namespace {

using ::testing::ElementsAre;

class ReportUseTest : public testing::Test {
 protected:
  ReportUseTest() {
    for (const char* id : {"ada", "admin"}) {
      authority_.AddUser(id);
      GivePassword(*authority_.engine, id, "password");
    }
    authority_.ChangeUser("admin", [](UserRecord& user) { user.administrator = true; });
    token_ = authority_.Issue("ada");
  }

  v1::TokenUse& Add(const std::string& jti, absl::Time time) {
    v1::TokenUse& use = *request_.add_uses();
    use.set_jti(jti);
    use.mutable_last_use_time()->set_seconds(absl::ToUnixSeconds(time));
    return use;
  }
  grpc::Status Report(const Metadata& metadata = {}) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::ReportUseResponse response;
    return server_.stub().ReportUse(&context, request_, &response);
  }
  std::optional<absl::Time> LastUse() {
    EXPECT_TRUE(server_.uses().Flush(authority_.store).ok());
    return authority_.engine->GetToken(token_.uid).value().value().last_use_time;
  }

  TestAuthority authority_;
  ThreadPool executor_{1, 16};
  IntrospectionServer server_{authority_, authority_.facts, executor_, ListenerRole::kDev};
  IssuedToken token_;
  v1::ReportUseRequest request_;
};

TEST_F(ReportUseTest, IsKeptToTheMinute) {
  const absl::Time minute = absl::FromUnixSeconds(absl::ToUnixSeconds(authority_.clock.Now()) / 60 * 60);
  Add(token_.uid.ToString(), minute + absl::Seconds(10));
  EXPECT_TRUE(Report().ok());
  EXPECT_EQ(LastUse(), minute);
  request_.Clear();
  EXPECT_TRUE(Report().ok()) << "nothing to report is fine";
}

TEST_F(ReportUseTest, NeverBackwardsNorIntoTheFuture) {
  const absl::Time now = authority_.clock.Now();
  const absl::Time minute = absl::FromUnixSeconds(absl::ToUnixSeconds(now) / 60 * 60);
  Add(token_.uid.ToString(), now + absl::Hours(24 * 365));
  EXPECT_TRUE(Report().ok());
  EXPECT_EQ(LastUse(), minute);
  request_.Clear();
  Add(token_.uid.ToString(), now - absl::Hours(24));
  EXPECT_TRUE(Report().ok());
  EXPECT_EQ(LastUse(), minute);
}

TEST_F(ReportUseTest, IntrospectorsOnly) {
  Add("wrong", authority_.clock.Now());
  EXPECT_EQ(Outcome(Report({{"authorization", Basic("ada", "password")}})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Report({{"authorization", Basic("admin", "password")}})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Report({{"authorization", "Bearer " + token_.secret}})), "PERMISSION_DENIED ROLE_REQUIRED");
  EXPECT_EQ(Outcome(Report({{"x-pat-user", "ada"}})), "PERMISSION_DENIED ROLE_REQUIRED");
}

// Where no uses are kept too: whether they are is nobody's business who may not call.
TEST_F(ReportUseTest, WhoCallsIsAskedBeforeAnythingElse) {
  IntrospectionServer keeps_none(authority_, authority_.facts, executor_, ListenerRole::kNone, {}, nullptr,
                                 /*keeps_uses=*/false);
  const auto report = [&](const Metadata& metadata) {
    grpc::ClientContext context;
    for (const auto& [name, value] : metadata) context.AddMetadata(name, value);
    v1::ReportUseResponse response;
    return keeps_none.stub().ReportUse(&context, request_, &response);
  };
  EXPECT_EQ(Outcome(report({})), "UNAUTHENTICATED CREDENTIALS_MISSING");
  EXPECT_EQ(Outcome(report({{"authorization", Basic("admin", "wrong")}})), "UNAUTHENTICATED CREDENTIALS_INVALID");
  EXPECT_EQ(Outcome(report({{"authorization", Basic("admin", "password")}})), "PERMISSION_DENIED ROLE_REQUIRED");
  IntrospectionServer for_services(authority_, authority_.facts, executor_, ListenerRole::kIntrospector, {}, nullptr,
                                   /*keeps_uses=*/false);
  grpc::ClientContext context;
  v1::ReportUseResponse response;
  EXPECT_EQ(for_services.stub().ReportUse(&context, request_, &response).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(ReportUseTest, AllThatIsWrongAtOnce) {
  Add(token_.uid.ToString(), authority_.clock.Now());
  Add("no uid", authority_.clock.Now());
  request_.add_uses()->set_jti(token_.uid.ToString());
  Add(token_.uid.ToString(), authority_.clock.Now()).mutable_last_use_time()->set_nanos(-1);
  const grpc::Status status = Report();
  EXPECT_EQ(Outcome(status), "INVALID_ARGUMENT INVALID_REQUEST");
  EXPECT_THAT(FieldsOf(status), ElementsAre("uses[1].jti", "uses[2].last_use_time", "uses[3].last_use_time"));
  EXPECT_EQ(LastUse(), std::nullopt) << "and nothing is noted";
}

}  // namespace
}  // namespace pat
