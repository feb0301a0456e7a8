// What is shown of the complaints of libraries.
#include "server/ops/logging.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr char kTsi[] = "./src/core/tsi/ssl_transport_security.cc";

TEST(HandshakeComplaintTest, SaysOpenSslsReasonAndWhatItMeans) {
  EXPECT_EQ(HandshakeComplaint(kTsi,
                               "Handshake failed with fatal error SSL_ERROR_SSL: error:0A0000C7:SSL routines::peer did "
                               "not return a certificate."),
            "a handshake failed: peer did not return a certificate: the client shows none, and one is asked for");
  EXPECT_EQ(HandshakeComplaint(
                kTsi, "Handshake failed with fatal error SSL_ERROR_SSL: error:0A000123:SSL routines::something new."),
            "a handshake failed: something new");
}

TEST(HandshakeComplaintTest, IsNoOtherText) {
  EXPECT_EQ(HandshakeComplaint(kTsi, "Invalid protocol name length: 300."), std::nullopt);
  EXPECT_EQ(HandshakeComplaint("./src/core/ext/transport/chttp2/transport/hpack_parser.cc",
                               "Handshake failed with fatal error authorization: Basic YWRh"),
            std::nullopt);
}

}  // namespace
}  // namespace pat
