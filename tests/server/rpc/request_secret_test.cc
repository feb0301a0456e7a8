#include "server/rpc/request_secret.h"

#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "pat/v1/user_service.pb.h"

namespace pat {
namespace {

TEST(RequestSecretTest, IsThereDuringTheCallAndWipedAfterIt) {
  v1::SetPasswordRequest request;
  request.set_password(std::string(100, 'x'));
  request.set_current_password("short");
  const char* const bytes = request.password().data();
  {
    const RequestSecret password(request.password());
    const RequestSecret current(request.current_password());
    EXPECT_EQ(password.view(), std::string(100, 'x'));
    EXPECT_EQ(password.view().data(), bytes);
    EXPECT_EQ(current.view(), "short");
  }
  EXPECT_EQ(request.password(), "");
  EXPECT_EQ(request.current_password(), "");
  ASSERT_EQ(request.password().data(), bytes);  // Emptied, not let go.
  EXPECT_EQ(std::string(bytes, 100), std::string(100, '\0'));
}

// All messages share one empty text: what two threads write to it, ThreadSanitizer finds.
TEST(RequestSecretTest, AnAbsentOneIsNotTouched) {
  const v1::SetPasswordRequest request;
  const std::string& shared = v1::SetPasswordRequest::default_instance().password();
  ASSERT_EQ(&request.password(), &shared);
  const auto call = [&request] { const RequestSecret password(request.password()); };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(&request.password(), &shared);
  EXPECT_EQ(shared, "");
}

}  // namespace
}  // namespace pat
