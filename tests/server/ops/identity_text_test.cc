#include "server/ops/identity_text.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

IdentityEntry Parse(const std::string& text) {
  const absl::StatusOr<IdentityEntry> entry = ParseIdentityText(text);
  EXPECT_TRUE(entry.ok()) << entry.status();
  return entry.ok() ? *entry : IdentityEntry();
}

std::string ErrorOf(const std::string& text) {
  const absl::Status status = ParseIdentityText(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(ParseIdentityTextTest, TakesPairsInAnyOrder) {
  const IdentityEntry entry = Parse("role=introspector,digests=true,spiffe=spiffe://example.org/gateway");
  EXPECT_EQ(entry.spiffe, "spiffe://example.org/gateway");
  EXPECT_EQ(entry.role, "introspector");
  EXPECT_TRUE(entry.digests);
  EXPECT_FALSE(Parse("dns=a.example,role=introspector,digests=false").digests);
}

TEST(ParseIdentityTextTest, UsersAreSeparatedByPluses) {
  EXPECT_THAT(Parse("dns=a.example,role=portal,users=admin+ops").users, ElementsAre("admin", "ops"));
  EXPECT_THAT(Parse("dns=a.example,role=portal,users=admin").users, ElementsAre("admin"));
}

TEST(ParseIdentityTextTest, ACommaOrAnEqualSignMayBePartOfAUri) {
  const IdentityEntry entry = Parse("uri=https://a.example/?x=1,2,y=3,role=portal");
  EXPECT_EQ(entry.uri, "https://a.example/?x=1,2,y=3");
  EXPECT_EQ(entry.role, "portal");
}

TEST(ParseIdentityTextTest, WhatHasAnotherFormIsRefused) {
  for (const char* text : {"", ",", "=x", "nonsense", "rolle=user"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("which is no key; keys are spiffe, uri or dns")) << text;
  }
  for (const char* text : {"role", "dns=", "dns=,role=user"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("gives no value for ")) << text;
  }
  EXPECT_THAT(ErrorOf("dns=a,foo=bar,role=user"), HasSubstr("has \"foo\", which is no key"));
  EXPECT_THAT(ErrorOf("role=user,role=portal"), HasSubstr("gives role twice"));
  EXPECT_THAT(ErrorOf("dns=a.example,digests=yes"), HasSubstr("neither true nor false"));
}

}  // namespace
}  // namespace pat
