// Certificates that are replaced under a running `patd authority`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/e2e/authority_process.h"

namespace pat {
namespace {

using ::grpc::StatusCode;

class TlsReloadTest : public testing::Test {
 protected:
  static constexpr char kGateway[] = "URI:spiffe://example.org/gateway";

  void Start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--identity", "spiffe=spiffe://example.org/gateway,role=introspector"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    authority_.Start(arguments);
  }

  static StatusCode CodeOf(Client& client) {
    return client.Call(&IntrospectionStub::Introspect, Nobody(), QuestionFor("anything")).status.error_code();
  }
  // Of a new connection that trusts this CA.
  StatusCode NewConnection(const MadeCertificate& trusted) const {
    Client client = authority_.Over(gateway_, trusted);
    return CodeOf(client);
  }
  StatusCode NewConnection() const { return NewConnection(authority_.server_ca); }

  AuthorityProcess authority_;
  const MadeCertificate gateway_ = authority_.Named(kGateway);
};

TEST_F(TlsReloadTest, ANewCertificateServesNewConnectionsWithoutARestart) {
  Start();
  Client before = authority_.Over(gateway_);
  EXPECT_EQ(CodeOf(before), StatusCode::OK);
  const MadeCertificate new_ca = MakeCa("new server CA");
  EXPECT_EQ(NewConnection(new_ca), StatusCode::UNAVAILABLE);
  authority_.WriteServer(MakeCertificate({.names = {"DNS:patd.example"}}, new_ca));
  EXPECT_TRUE(Becomes([&] { return NewConnection(new_ca) == StatusCode::OK; }));
  EXPECT_EQ(NewConnection(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(CodeOf(before), StatusCode::OK) << "a connection was cut";
  EXPECT_TRUE(authority_.HasSaid("TLS: new certificate"));
}

TEST_F(TlsReloadTest, ABrokenSetChangesNothingAndTheLogSaysSo) {
  Start();
  const std::string key = MakeCertificate({}).key;
  authority_.Write("tls.key", key, 0600);
  EXPECT_TRUE(Becomes([&] { return authority_.HasSaid("is not the key of the first certificate"); }));
  EXPECT_EQ(NewConnection(), StatusCode::OK);

  authority_.Write("ca.crt", "");
  authority_.WriteServer(MakeCertificate({.names = {"DNS:patd.example"}}, authority_.server_ca));
  EXPECT_TRUE(Becomes([&] { return authority_.HasSaid("ca.crt: holds no certificate"); }));
  EXPECT_EQ(NewConnection(), StatusCode::OK);
  EXPECT_FALSE(authority_.HasSaid(key.substr(40, 40)));

  // Mended.
  authority_.Write("ca.crt", authority_.client_ca.pem);
  EXPECT_TRUE(Becomes([&] { return authority_.HasSaid("TLS: new certificate"); }));
  EXPECT_EQ(NewConnection(), StatusCode::OK);
}

TEST_F(TlsReloadTest, AClientWhoseCaIsTakenOutIsOutWithinTheConnectionAge) {
  const MadeCertificate other_ca = MakeCa("other client CA");
  const MadeCertificate other = MakeCertificate({.names = {kGateway}}, other_ca);
  authority_.Write("ca.crt", authority_.client_ca.pem + other_ca.pem);
  Start({"--connection-age", "6s"});
  const absl::Time connected = absl::Now();
  Client old_connection = authority_.Over(other);
  ASSERT_EQ(CodeOf(old_connection), StatusCode::OK);

  authority_.Write("ca.crt", authority_.client_ca.pem);
  EXPECT_TRUE(Becomes([&] {
    Client client = authority_.Over(other);
    return CodeOf(client) == StatusCode::UNAVAILABLE;
  }));
  EXPECT_EQ(NewConnection(), StatusCode::OK);
  // The connection of before goes on until its age, and then there is no other.
  EXPECT_TRUE(Becomes([&] { return CodeOf(old_connection) == StatusCode::UNAVAILABLE; }));
  // Not more than the age, and time for a slow machine.
  EXPECT_LT(absl::Now() - connected, absl::Seconds(12));
}

TEST_F(TlsReloadTest, NothingIsLeftInMemoryAfterTheEnd) {
  const auto staged = [] {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
      count += entry.path().filename().string().rfind("patd-files.", 0) == 0 ? 1 : 0;
    }
    return count;
  };
  if (!std::filesystem::is_directory("/dev/shm")) GTEST_SKIP() << "there is no /dev/shm";
  Start();
  EXPECT_GE(staged(), 1u);
  authority_.patd->process().Kill();
  Start();
  const size_t running = staged();
  authority_.patd->process().Signal(SIGTERM);
  EXPECT_EQ(authority_.patd->process().Wait(absl::Seconds(10)).exit_code, 0);
  EXPECT_LT(staged(), running);
}

}  // namespace
}  // namespace pat
