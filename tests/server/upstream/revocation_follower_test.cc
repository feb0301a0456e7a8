#include "server/upstream/revocation_follower.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace pat {
namespace {

constexpr char kUid[] = "0b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";
constexpr char kOtherUid[] = "1b6e2d43-7a1f-4c58-9d0e-5f2a8c417be3";

// Writes down what it is told.
class RecordingSink final : public RevocationSink {
 public:
  void Drop(const TokenUid& token) override { drops.push_back(token.ToString()); }
  void DropOwner(absl::string_view owner_id) override { drops.push_back(absl::StrCat("owner ", owner_id)); }
  void DropAll() override { drops.emplace_back("all"); }

  std::vector<std::string> drops;
};

using Drops = std::vector<std::string>;
using Message = v1::WatchRevocationsResponse;

Message Heartbeat(const std::string& resume_token) {
  Message message;
  message.mutable_heartbeat();
  message.set_resume_token(resume_token);
  return message;
}
Message Tokens(const std::vector<std::string>& uids, const std::string& resume_token) {
  Message message;
  message.mutable_tokens();
  for (const std::string& uid : uids) message.mutable_tokens()->add_uids(uid);
  message.set_resume_token(resume_token);
  return message;
}
Message Owner(const std::string& sub) {
  Message message;
  message.mutable_owner()->set_sub(sub);
  message.set_resume_token("v1.one.9");
  return message;
}

class RevocationFollowerTest : public testing::Test {
 protected:
  // A stream that has begun, and of which the first message has come.
  void Begin(const std::string& resume_token) {
    follower_.BeginStream();
    follower_.Apply(Heartbeat(resume_token));
    sink_.drops.clear();
  }

  RecordingSink sink_;
  RevocationFollower follower_{sink_};
};

TEST_F(RevocationFollowerTest, TheFirstStreamBeginsByDroppingEverything) {
  EXPECT_EQ(follower_.resume_token(), "");
  follower_.BeginStream();
  EXPECT_TRUE(sink_.drops.empty());  // Not before the authority has said from where on it tells.
  EXPECT_TRUE(follower_.Apply(Heartbeat("v1.one.1")));
  EXPECT_EQ(sink_.drops, Drops{"all"});
  EXPECT_EQ(follower_.resume_token(), "v1.one.1");
  EXPECT_FALSE(follower_.Apply(Heartbeat("v1.one.2")));
  EXPECT_EQ(sink_.drops, Drops{"all"});
  EXPECT_EQ(follower_.resume_token(), "v1.one.2");
}

TEST_F(RevocationFollowerTest, AStreamThatEndsBeforeItsFirstMessageHasToldNothing) {
  follower_.BeginStream();
  follower_.BeginStream();
  EXPECT_TRUE(follower_.Apply(Tokens({kUid}, "v1.one.1")));
  EXPECT_EQ(sink_.drops, Drops{"all"});  // That token too.
}

TEST_F(RevocationFollowerTest, DropsWhatItIsTold) {
  Begin("v1.one.1");
  EXPECT_TRUE(follower_.Apply(Tokens({kUid, kOtherUid}, "v1.one.3")));
  EXPECT_TRUE(follower_.Apply(Owner("users/ada")));
  Message all;
  all.mutable_all();
  EXPECT_TRUE(follower_.Apply(all));
  EXPECT_EQ(sink_.drops, (Drops{kUid, kOtherUid, "owner ada", "all"}));
  EXPECT_FALSE(follower_.Apply(Tokens({}, "v1.one.10")));
}

TEST_F(RevocationFollowerTest, GoesOnFromWhereTheLastStreamEnded) {
  Begin("v1.one.1");
  follower_.Apply(Tokens({kUid}, "v1.one.7"));
  sink_.drops.clear();
  EXPECT_EQ(follower_.resume_token(), "v1.one.7");
  follower_.BeginStream();
  EXPECT_TRUE(follower_.Apply(Tokens({kOtherUid}, "v1.one.8")));
  EXPECT_EQ(sink_.drops, Drops{kOtherUid});  // And not everything.
}

TEST_F(RevocationFollowerTest, ResetDropsEverything) {
  Begin("v1.one.1");
  follower_.BeginStream();
  Message reset;
  reset.mutable_reset();
  reset.set_resume_token("v1.one.100");
  EXPECT_TRUE(follower_.Apply(reset));
  EXPECT_EQ(sink_.drops, Drops{"all"});
  EXPECT_EQ(follower_.resume_token(), "v1.one.100");
  follower_.Apply(Heartbeat("v1.one.100"));
  EXPECT_EQ(sink_.drops, Drops{"all"});
}

TEST_F(RevocationFollowerTest, AnotherIncarnationDropsEverythingEvenWithoutReset) {
  Begin("v1.one.1");
  EXPECT_TRUE(follower_.Apply(Heartbeat("v1.two.1")));
  EXPECT_EQ(sink_.drops, Drops{"all"});
  EXPECT_FALSE(follower_.Apply(Heartbeat("v1.two.2")));
  EXPECT_EQ(sink_.drops, Drops{"all"});
}

TEST_F(RevocationFollowerTest, AMessageThatMakesNoSenseDropsEverything) {
  const std::vector<Message> messages = {
      Tokens({kUid, "no uid"}, ""), Tokens({""}, ""), Owner(""), Owner("ada"), Owner("users/-"),
      Owner("users/A/b"),           Message()};
  for (const Message& message : messages) {
    Begin("v1.one.1");
    EXPECT_TRUE(follower_.Apply(message)) << message.ShortDebugString();
    EXPECT_EQ(sink_.drops, Drops{"all"}) << message.ShortDebugString();
  }
}

TEST_F(RevocationFollowerTest, WithoutAResumeTokenThePlaceStaysAsItIs) {
  Begin("v1.one.1");
  follower_.Apply(Tokens({kUid}, ""));
  EXPECT_EQ(sink_.drops, Drops{kUid});
  EXPECT_EQ(follower_.resume_token(), "v1.one.1");
}

TEST_F(RevocationFollowerTest, AResumeTokenThatIsTooLongIsNoPlace) {
  Begin("v1.one.1");
  follower_.Apply(Heartbeat(absl::StrCat("v1.one.", std::string(250, '1'))));
  EXPECT_EQ(follower_.resume_token(), "");
  sink_.drops.clear();
  follower_.BeginStream();
  follower_.Apply(Heartbeat("v1.one.2"));
  EXPECT_EQ(sink_.drops, Drops{"all"});
}

TEST(IncarnationOfTest, IsTheMiddlePart) {
  EXPECT_EQ(IncarnationOf("v1.one.7"), "one");
  EXPECT_EQ(IncarnationOf("v1.a.b.7"), "a.b");
  for (const char* const other : {"", "v1", "v1.", "v1.one", "v2.one.7", "one.7"}) EXPECT_EQ(IncarnationOf(other), "");
}

}  // namespace
}  // namespace pat
