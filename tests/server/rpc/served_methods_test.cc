// Every method of the API is served: none can be forgotten.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/core/executor.h"
#include "tests/server/rpc/introspection_server.h"
#include "tests/server/rpc/management_server.h"
#include "tests/support/source_path.h"

namespace pat {
namespace {

using ::testing::IsEmpty;

// "/pat.v1.TokenService/CreateToken", of all files of the API.
std::vector<std::string> MethodsOfTheApi() {
  std::vector<std::string> methods;
  for (const auto& entry : std::filesystem::directory_iterator(SourcePath("proto/pat/v1"))) {
    if (entry.path().extension() != ".proto") continue;
    const std::string name = absl::StrCat("pat/v1/", entry.path().filename().string());
    const auto* const file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name << " is not linked in";
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.push_back(absl::StrCat("/", file->service(i)->full_name(), "/", file->service(i)->method(j)->name()));
      }
    }
  }
  return methods;
}

grpc::StatusCode CodeOf(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer request(nullptr, 0);
  const auto call = stub.PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return status.error_code();
}

class ServedMethodsTest : public ManagementTest {
 protected:
  ServedMethodsTest() : ManagementTest(ListenerRole::kNone) {}

  ThreadPool executor_{1, 16};
  IntrospectionServer introspection_{authority_, authority_.facts, executor_, ListenerRole::kNone};
};

// Whoever brings no credential is told so before anything else: by each method that is there, and by no other.
TEST_F(ServedMethodsTest, EveryMethodIsServedAndAsksWhoIsCalling) {
  std::vector<std::string> unserved;
  const std::vector<std::string> methods = MethodsOfTheApi();
  EXPECT_GE(methods.size(), 22);
  for (const std::string& method : methods) {
    const bool hot = method.find("IntrospectionService") != std::string::npos;
    const grpc::StatusCode code = CodeOf(hot ? introspection_.channel() : server_.channel(), method);
    if (code == grpc::StatusCode::UNIMPLEMENTED) {
      unserved.push_back(method);
    } else {
      EXPECT_EQ(code, grpc::StatusCode::UNAUTHENTICATED) << method;
    }
  }
  EXPECT_THAT(unserved, IsEmpty());
}

}  // namespace
}  // namespace pat
