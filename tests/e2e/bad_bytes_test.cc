// Bytes that are no request at all, too many of them, and compressed ones: never OK, and the server goes on. Through
// gRPC: this is what a client gets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/dev_server.h"

namespace pat {
namespace {

using ::grpc::StatusCode;
using ::testing::IsEmpty;

constexpr char kIntrospect[] = "/pat.v1.IntrospectionService/Introspect";
constexpr char kBatchIntrospect[] = "/pat.v1.IntrospectionService/BatchIntrospect";
constexpr char kCreateToken[] = "/pat.v1.TokenService/CreateToken";
constexpr char kListScopes[] = "/pat.v1.TokenService/ListScopes";

// One server for all tests here.
class BadBytesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<DevServer>(); }
  static void TearDownTestSuite() { server_ = nullptr; }

  static Client& client() { return server_->client(); }

  static std::unique_ptr<DevServer> server_;
};

std::unique_ptr<DevServer> BadBytesTest::server_;

TEST_F(BadBytesTest, WhatCannotBeDecodedIsRefused) {
  const v1::CreateTokenRequest good = CreationFor("ada", "cut");
  const std::string cut = good.SerializeAsString().substr(0, good.ByteSizeLong() - 1);
  const std::vector<std::string> undecodable = {
      "\x0a\x05shor",          // Cut inside field 1.
      "\x0a\xff\xff\xff\x0f",  // A length beyond the end.
      "\x0a",                  // No length.
      "\x07",                  // No such wire type.
      "\x0a\x02\xc3\x28",      // Field 1, a string that is not UTF-8.
      "\x0b\x0a",              // A group that does not end.
      std::string(64, '\xff'),
  };
  for (const std::string& bytes : undecodable) {
    SCOPED_TRACE(testing::PrintToString(bytes));
    EXPECT_THAT(client().CallRaw(kIntrospect, Nobody(), bytes).status,
                IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
    EXPECT_THAT(client().CallRaw(kBatchIntrospect, Nobody(), bytes).status,
                IsRefusal(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
    // gRPC refuses these before a handler sees them.
    EXPECT_EQ(client().CallRaw(kCreateToken, PortalFor("ada"), bytes).status.error_code(), StatusCode::INTERNAL);
    EXPECT_EQ(client().CallRaw(kListScopes, Nobody(), bytes).status.error_code(), StatusCode::INTERNAL);
  }
  EXPECT_EQ(client().CallRaw(kCreateToken, PortalFor("ada"), cut).status.error_code(), StatusCode::INTERNAL);
  EXPECT_THAT(client().List("ada"), IsEmpty());
}

TEST_F(BadBytesTest, LargeMessagesAreRefused) {
  for (const size_t size : {300'000, 5'000'000}) {
    for (const char* method : {kIntrospect, kBatchIntrospect, kCreateToken, kListScopes}) {
      v1::IntrospectRequest question = QuestionFor(std::string(size, 'x'));
      const grpc::Status refused = client().CallRaw(method, Nobody(), question.SerializeAsString()).status;
      EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED) << method << ": " << refused.error_message();
    }
  }
  EXPECT_TRUE(client().Introspect(client().Create("ada", "afterwards").secret).active());
}

TEST_F(BadBytesTest, CompressedMessagesAreRefused) {
  const std::string bytes = QuestionFor(std::string(1000, 'x')).SerializeAsString();
  for (const char* method : {kIntrospect, kBatchIntrospect, kCreateToken, kListScopes}) {
    for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
      const grpc::Status refused = client().CallRaw(method, Nobody(), bytes, algorithm).status;
      EXPECT_EQ(refused.error_code(), StatusCode::UNIMPLEMENTED) << method << ": " << refused.error_message();
    }
  }
}

// gRPC refuses such a call and then ends the connection; so each one has a connection of its own here.
TEST_F(BadBytesTest, LargeHeadersAreRefused) {
  Headers many;
  for (int i = 0; i < 500; ++i) many.emplace_back(absl::StrCat("x-header-", i), "value");
  for (const Headers& headers : {Headers{{"x-large", std::string(9'000, 'h')}}, many}) {
    for (const char* method : {kIntrospect, kListScopes}) {
      Client alone(server_->daemon().listening().front().ToString());
      const grpc::Status refused = alone.CallRaw(method, headers, "").status;
      EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED) << method << ": " << refused.error_message();
    }
  }
  EXPECT_TRUE(client().Introspect("anything").has_active());
}

}  // namespace
}  // namespace pat
