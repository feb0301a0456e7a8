// Under what secrets are kept and found, before, during and after a rotation.
#include "server/core/peppers.h"

#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/crypto/bytes.h"
#include "server/crypto/digest.h"
#include "tests/server/ops/scratch_directory.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<std::unique_ptr<const Peppers>> Make(const std::vector<std::string>& peppers) {
  std::vector<Secret> secrets;
  for (const std::string& pepper : peppers) secrets.emplace_back(std::string(pepper));
  return Peppers::Create(std::move(secrets));
}

const std::string& Old() {
  static const auto* const pepper = new std::string(32, 'o');
  return *pepper;
}
const std::string& New() {
  static const auto* const pepper = new std::string(40, 'n');
  return *pepper;
}

const TokenDigest kDigest = DigestOf("some secret");

TEST(PeppersTest, ThereHasToBeOneAndItHasToBeLong) {
  EXPECT_EQ(Make({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Make({std::string(31, 'x')}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Make({Old(), std::string(31, 'x')}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Make({std::string(32, 'x')}).ok());
}

TEST(PeppersTest, OneAndTheSameTwiceIsAMistake) {
  EXPECT_EQ(Make({Old(), New(), Old()}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Make({Old(), New()}).ok());
}

TEST(PeppersTest, ASecretIsKeptAsTheHmacOfItsDigest) {
  const TokenHmac hmac = (*Make({Old()}))->Hmac(kDigest);
  EXPECT_EQ(hmac.mac, HmacSha256(AsBytes(Old()), kDigest.bytes));
  EXPECT_EQ(hmac.mac, HmacSha256(AsBytes(Old()), Sha256("some secret")));
}

// Rows in the store outlive the process.
TEST(PeppersTest, APepperHasTheSameIdInEveryProcessAndAnotherOneAnother) {
  EXPECT_EQ((*Make({Old()}))->Hmac(kDigest), (*Make({Old()}))->Hmac(kDigest));
  EXPECT_NE((*Make({Old()}))->Hmac(kDigest).pepper_id, (*Make({New()}))->Hmac(kDigest).pepper_id);
}

// The id is stored beside the rows; whoever reads them must not learn the pepper from it.
TEST(PeppersTest, TheIdTellsNothingOfThePepper) {
  const TokenHmac hmac = (*Make({Old()}))->Hmac(kDigest);
  const std::string id(reinterpret_cast<const char*>(hmac.pepper_id.data()), hmac.pepper_id.size());
  EXPECT_EQ(Old().find(id), std::string::npos);
  const Sha256Digest hash = Sha256(Old());
  EXPECT_FALSE(std::equal(hmac.pepper_id.begin(), hmac.pepper_id.end(), hash.begin()));
}

TEST(PeppersTest, TheFirstWritesAndAllOfThemFind) {
  const auto old_one = *Make({Old()});
  const auto both = *Make({New(), Old()});
  const auto new_one = *Make({New()});
  EXPECT_EQ(both->Hmac(kDigest), new_one->Hmac(kDigest));
  EXPECT_THAT(both->AllHmacs(kDigest), ElementsAre(new_one->Hmac(kDigest), old_one->Hmac(kDigest)));
  EXPECT_THAT(new_one->AllHmacs(kDigest), ElementsAre(new_one->Hmac(kDigest)));
}

// ---- Derived keys

TEST(PeppersTest, ADerivedKeyIsTheSameInEveryProcessThatWritesWithThisPepper) {
  const auto mac = [](const std::vector<std::string>& peppers, absl::string_view purpose) {
    return (*Make(peppers))->DeriveKey(purpose).Mac(AsBytes("data"));
  };
  const Sha256Digest key = mac({Old()}, "pages");
  EXPECT_EQ(mac({Old()}, "pages"), key);
  EXPECT_EQ(mac({Old(), New()}, "pages"), key);
  EXPECT_NE(mac({New(), Old()}, "pages"), key);
  EXPECT_NE(mac({Old()}, "page"), key);
  EXPECT_NE(mac({Old()}, "pages "), key);
}

TEST(PeppersTest, ADerivedKeyIsNotThePepper) {
  EXPECT_NE((*Make({Old()}))->DeriveKey("").Mac(AsBytes("data")), HmacSha256(AsBytes(Old()), AsBytes("data")));
}

// ---- Files

class PepperFilesTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& bytes, mode_t mode = 0400) {
    std::string path = directory_.Write(name, bytes);
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }

  static void ExpectRefused(const std::vector<std::string>& paths, absl::StatusCode code, const std::string& culprit) {
    const absl::Status status = Peppers::Load(paths).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(culprit));
  }

  const ScratchDirectory directory_;
};

TEST_F(PepperFilesTest, TheBytesOfAFileAreThePepper) {
  const auto loaded = Peppers::Load({Write("new", New()), Write("old", Old())});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->AllHmacs(kDigest), (*Make({New(), Old()}))->AllHmacs(kDigest));
}

// A line feed at the end belongs to it: a file made by hand is the same pepper on every machine.
TEST_F(PepperFilesTest, NothingIsTrimmed) {
  const auto loaded = Peppers::Load({Write("pepper", absl::StrCat(" ", Old(), "\n"))});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->Hmac(kDigest), (*Make({absl::StrCat(" ", Old(), "\n")}))->Hmac(kDigest));
}

TEST_F(PepperFilesTest, TheFileThatIsWrongIsNamed) {
  const std::string good = Write("good", Old());
  const std::string none = directory_.File("none");
  ExpectRefused({good, none}, absl::StatusCode::kNotFound, none);
  const std::string short_one = Write("short", std::string(31, 'x'));
  ExpectRefused({good, short_one}, absl::StatusCode::kInvalidArgument, short_one);
  const std::string open_one = Write("open", New(), 0444);
  ExpectRefused({good, open_one}, absl::StatusCode::kFailedPrecondition, open_one);
  const std::string long_one = Write("long", std::string(4097, 'x'));
  ExpectRefused({good, long_one}, absl::StatusCode::kInvalidArgument, long_one);
  EXPECT_EQ(Peppers::Load({good, good}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Peppers::Load({}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PepperFilesTest, ANewFileIsAPepperOfItsOwn) {
  const std::string path = directory_.File("first");
  ASSERT_EQ(Peppers::CreateFile(path), absl::OkStatus());
  ASSERT_EQ(Peppers::CreateFile(directory_.File("second")), absl::OkStatus());
  EXPECT_EQ(directory_.Read("first").size(), 32);
  EXPECT_NE(directory_.Read("first"), directory_.Read("second"));
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0400);
  EXPECT_TRUE(Peppers::Load({path}).ok());
}

// The tokens of a store are lost with its pepper.
TEST_F(PepperFilesTest, APepperIsNeverOverwritten) {
  const std::string path = Write("pepper", Old());
  EXPECT_EQ(Peppers::CreateFile(path).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(directory_.Read("pepper"), Old());
}

}  // namespace
}  // namespace pat
