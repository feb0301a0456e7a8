#include <string>

#include "tests/client/patctl/patctl_fixture.h"

namespace pat::patctl {
namespace {

using ::grpc::health::v1::HealthCheckResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using HealthTest = PatctlTest;

TEST_F(HealthTest, ServingIsDone) {
  server_.health.set_status(HealthCheckResponse::SERVING);
  EXPECT_EQ(Run({"health"}), 0);
  EXPECT_EQ(written(), "SERVING\n");
  EXPECT_EQ(server_.health_request.service(), "");
  EXPECT_EQ(Run({"health", "pat.v1.TokenService", "--output", "json"}), 0);
  EXPECT_EQ(server_.health_request.service(), "pat.v1.TokenService");
  EXPECT_THAT(written(), HasSubstr("\"status\": \"SERVING\""));
}

TEST_F(HealthTest, AnythingElseIsAFailure) {
  server_.health.set_status(HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Run({"health"}), 1);
  EXPECT_EQ(written(), "NOT_SERVING\n");
  server_.health.set_status(static_cast<HealthCheckResponse::ServingStatus>(9));
  EXPECT_EQ(Run({"health"}), 1);
  EXPECT_EQ(written(), "9\n");
  server_.error = grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service");
  EXPECT_EQ(Run({"health", "x"}), 1);
}

TEST_F(HealthTest, NeedsAndSendsNoCredentials) {
  server_.health.set_status(HealthCheckResponse::SERVING);
  EXPECT_EQ(Run({"health", "--user", "ada"}), 0);  // No password was asked for: none is there.
  EXPECT_THAT(server_.authorizations, ElementsAre(""));
}

TEST_F(HealthTest, MayCrossANetworkInPlaintext) {
  // This name is never resolved; but it was asked for, not refused.
  EXPECT_EQ(Run({"health", "--server", "pat.invalid:7443", "--timeout", "2s"}), 1);
  EXPECT_THAT(said(), ::testing::Not(HasSubstr("refusing")));
}

}  // namespace
}  // namespace pat::patctl
