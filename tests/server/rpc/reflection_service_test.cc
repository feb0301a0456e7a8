#include "server/rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "pat/v1/introspection_service.pb.h"
#include "pat/v1/token_service.pb.h"

namespace pat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct V1 {
  using Protocol = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
  static std::unique_ptr<grpc::Service> New(std::vector<std::string> services) {
    return NewReflectionV1(std::move(services));
  }
};
struct V1Alpha {
  using Protocol = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
  static std::unique_ptr<grpc::Service> New(std::vector<std::string> services) {
    return NewReflectionV1Alpha(std::move(services));
  }
};

template <typename Version>
class ReflectionServiceTest : public testing::Test {
 protected:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  ReflectionServiceTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    stub_ = Version::Protocol::NewStub(server_->InProcessChannel({}));
    stream_ = stub_->ServerReflectionInfo(&context_);
  }
  ~ReflectionServiceTest() override {
    stream_->WritesDone();
    EXPECT_TRUE(stream_->Finish().ok());
    server_->Shutdown();
  }

  // All on one stream, as clients do.
  Response Ask(const Request& request) {
    EXPECT_TRUE(stream_->Write(request));
    Response response;
    EXPECT_TRUE(stream_->Read(&response));
    EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
    EXPECT_EQ(response.valid_host(), request.host());
    return response;
  }
  Response AskForSymbol(const std::string& symbol) {
    Request request;
    request.set_file_containing_symbol(symbol);
    return Ask(request);
  }

  // The files of an answer, which must be complete: everything that is imported is there, and before it is needed when
  // read from the end.
  static std::vector<std::string> Files(const Response& response) {
    std::vector<std::string> names;
    google::protobuf::DescriptorPool pool;
    const auto& protos = response.file_descriptor_response().file_descriptor_proto();
    std::vector<google::protobuf::FileDescriptorProto> files;
    for (const std::string& bytes : protos) {
      EXPECT_TRUE(files.emplace_back().ParseFromString(bytes));
      names.push_back(files.back().name());
    }
    // Whatever the order: what can be built is built until nothing is left.
    for (bool progress = true; progress && !files.empty();) {
      progress = false;
      for (auto file = files.begin(); file != files.end();) {
        const bool ready = std::all_of(file->dependency().begin(), file->dependency().end(),
                                       [&](const auto& import) { return pool.FindFileByName(import) != nullptr; });
        progress |= ready;
        if (ready) {
          EXPECT_NE(pool.BuildFile(*file), nullptr);
        }
        file = ready ? files.erase(file) : file + 1;
      }
    }
    EXPECT_TRUE(files.empty()) << "an import is missing";
    return names;
  }

  const std::unique_ptr<grpc::Service> service_ = Version::New({"pat.v1.TokenService", "a.First", "z.Last"});
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<typename Version::Protocol::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<Request, Response>> stream_;
};

using Versions = testing::Types<V1, V1Alpha>;
TYPED_TEST_SUITE(ReflectionServiceTest, Versions);

TYPED_TEST(ReflectionServiceTest, ListsTheServicesSorted) {
  typename TypeParam::Request request;
  request.set_host("localhost");
  request.set_list_services("*");
  const auto response = this->Ask(request);
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_THAT(names, ElementsAre("a.First", "pat.v1.TokenService", "z.Last"));
}

TYPED_TEST(ReflectionServiceTest, GivesTheFileOfASymbolWithAllThatItImports) {
  for (const char* symbol : {"pat.v1.TokenService", "pat.v1.TokenService.CreateToken", "pat.v1.CreateTokenRequest"}) {
    const std::vector<std::string> files = this->Files(this->AskForSymbol(symbol));
    ASSERT_FALSE(files.empty()) << symbol;
    EXPECT_EQ(files.front(), v1::CreateTokenRequest::descriptor()->file()->name());
    EXPECT_THAT(files, testing::Contains("google/protobuf/timestamp.proto"));
  }
}

TYPED_TEST(ReflectionServiceTest, GivesAFileByItsName) {
  typename TypeParam::Request request;
  request.set_file_by_filename("pat/v1/introspection_service.proto");
  const std::vector<std::string> files = this->Files(this->Ask(request));
  ASSERT_FALSE(files.empty());
  EXPECT_EQ(files.front(), "pat/v1/introspection_service.proto");
  EXPECT_EQ(std::count(files.begin(), files.end(), files.front()), 1);
}

// What C++ keeps of a file has no JSON names unless one is asked for, and there are clients that do not make them up.
TYPED_TEST(ReflectionServiceTest, FieldsHaveTheirJsonNames) {
  const auto response = this->AskForSymbol("pat.v1.CreateTokenRequest");
  google::protobuf::FileDescriptorProto file;
  ASSERT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
  ASSERT_EQ(file.message_type(0).name(), "CreateTokenRequest");
  EXPECT_EQ(file.message_type(0).field(1).name(), "display_name");
  EXPECT_EQ(file.message_type(0).field(1).json_name(), "displayName");
}

// Clients render the details of errors with these.
TYPED_TEST(ReflectionServiceTest, KnowsTheDetailsOfErrors) {
  for (const char* symbol : {"google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo",
                             "google.rpc.QuotaFailure", "google.rpc.Status"}) {
    EXPECT_THAT(this->Files(this->AskForSymbol(symbol)), testing::Not(IsEmpty())) << symbol;
  }
}

TYPED_TEST(ReflectionServiceTest, WhatIsNotThereIsAnAnswerAndTheStreamGoesOn) {
  typename TypeParam::Request request;
  request.set_file_by_filename("no/such.proto");
  auto response = this->Ask(request);
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(response.error_response().error_message(), HasSubstr("no/such.proto"));

  for (const char* symbol : {"", ".", "pat.v2", "pat.v1.NoService", ".pat.v1.TokenService"}) {
    EXPECT_EQ(this->AskForSymbol(symbol).error_response().error_code(), grpc::StatusCode::NOT_FOUND) << symbol;
  }
  request.set_all_extension_numbers_of_type("no.Such");
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.mutable_file_containing_extension()->set_containing_type("no.Such");
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);

  EXPECT_FALSE(this->AskForSymbol("pat.v1.TokenService").has_error_response());
}

TYPED_TEST(ReflectionServiceTest, AQuestionIsNeeded) {
  EXPECT_EQ(this->Ask({}).error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// Nothing here has extensions; to ask for them is no error.
TYPED_TEST(ReflectionServiceTest, ExtensionNumbersOfATypeWithoutAnyAreNone) {
  typename TypeParam::Request request;
  request.set_all_extension_numbers_of_type("pat.v1.Token");
  const auto response = this->Ask(request);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "pat.v1.Token");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);

  request.mutable_file_containing_extension()->set_containing_type("pat.v1.Token");
  request.mutable_file_containing_extension()->set_extension_number(1000);
  EXPECT_EQ(this->Ask(request).error_response().error_code(), grpc::StatusCode::NOT_FOUND);
}

// A stream holds a thread, and nobody has to log in for one.
TYPED_TEST(ReflectionServiceTest, IdleStreamsAreLimitedAndGiveTheirPlaceBack) {
  const auto open = [this](grpc::ClientContext& context) {
    auto stream = this->stub_->ServerReflectionInfo(&context);
    typename TypeParam::Request request;
    request.set_list_services("*");
    stream->Write(request);
    typename TypeParam::Response response;
    const bool answered = stream->Read(&response);
    return std::pair(answered, std::move(stream));
  };
  this->AskForSymbol("pat.v1.TokenService");  // The fixture's stream is one of them.
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<decltype(this->stub_->ServerReflectionInfo(nullptr))> idle;
  for (int i = 1; i < 16; ++i) {
    auto [answered, stream] = open(*contexts.emplace_back(std::make_unique<grpc::ClientContext>()));
    ASSERT_TRUE(answered) << i;
    idle.push_back(std::move(stream));
  }
  {
    grpc::ClientContext context;
    auto [answered, stream] = open(context);
    EXPECT_FALSE(answered);
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  for (auto& stream : idle) {
    stream->WritesDone();
    EXPECT_TRUE(stream->Finish().ok());
  }
  grpc::ClientContext context;
  auto [answered, stream] = open(context);
  EXPECT_TRUE(answered);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace pat
