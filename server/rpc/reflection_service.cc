#include "server/rpc/reflection_service.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/sync_stream.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/core/error.h"
#include "server/rpc/status_mapping.h"

namespace pat {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

// The messages of one version of the protocol.
struct V1 {
  using Service = grpc::reflection::v1::ServerReflection::Service;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Service = grpc::reflection::v1alpha::ServerReflection::Service;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

// A stream takes a thread of the synchronous API for as long as it is open, also an idle one, and needs no credential.
// So there is a limit, for all of them together; the age of their connection ends them.
constexpr int kMostStreams = 16;
std::atomic<int> open_streams{0};

template <typename Response>
void SetNotFound(const std::string& what, Response& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("not found: " + Quoted(what));
}

// The file and everything that it imports, each once.
template <typename Response>
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& added, Response& response) {
  if (!added.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  file.CopyJsonNameTo(&proto);  // Without it clients like grpcurl show read_time instead of readTime.
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
}

template <typename Response>
void SetFile(const FileDescriptor* file, const std::string& what, Response& response) {
  if (file == nullptr) return SetNotFound(what, response);
  std::set<const FileDescriptor*> added;
  AddFile(*file, added, response);
}

template <typename Version>
class ReflectionService final : public Version::Service {
 public:
  explicit ReflectionService(std::vector<std::string> services) : services_(std::move(services)) {
    std::sort(services_.begin(), services_.end());
  }

  grpc::Status ServerReflectionInfo(
      grpc::ServerContext* /*context*/,
      grpc::ServerReaderWriter<typename Version::Response, typename Version::Request>* stream) override {
    const absl::Cleanup close_one = [] { --open_streams; };
    if (++open_streams > kMostStreams) {
      return ToGrpcStatus(MakeError(absl::StatusCode::kResourceExhausted, "too many reflection streams are open",
                                    {.reason = "RATE_LIMITED", .retry_delay = absl::Seconds(10)}));
    }
    typename Version::Request request;
    while (stream->Read(&request)) {
      typename Version::Response response;
      Answer(request, response);
      if (!stream->Write(response)) break;
    }
    return grpc::Status::OK;
  }

 private:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  void Answer(const Request& request, Response& response) const {
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    switch (request.message_request_case()) {
      case Request::kFileByFilename:
        return SetFile(pool.FindFileByName(request.file_by_filename()), request.file_by_filename(), response);
      case Request::kFileContainingSymbol:
        return SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
                       request.file_containing_symbol(), response);
      case Request::kFileContainingExtension:
        return AnswerExtension(request, response);
      case Request::kAllExtensionNumbersOfType:
        return AnswerExtensionNumbers(request, response);
      case Request::kListServices:
        for (const std::string& name : services_)
          response.mutable_list_services_response()->add_service()->set_name(name);
        return;
      case Request::MESSAGE_REQUEST_NOT_SET:
        break;
    }
    response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
    response.mutable_error_response()->set_error_message("message_request is missing");
  }

  static void AnswerExtension(const Request& request, Response& response) {
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    const auto& asked = request.file_containing_extension();
    const Descriptor* const type = pool.FindMessageTypeByName(asked.containing_type());
    const FieldDescriptor* const extension =
        type != nullptr ? pool.FindExtensionByNumber(type, asked.extension_number()) : nullptr;
    SetFile(extension != nullptr ? extension->file() : nullptr, asked.containing_type(), response);
  }

  static void AnswerExtensionNumbers(const Request& request, Response& response) {
    const DescriptorPool& pool = *DescriptorPool::generated_pool();
    const std::string& name = request.all_extension_numbers_of_type();
    const Descriptor* const type = pool.FindMessageTypeByName(name);
    if (type == nullptr) return SetNotFound(name, response);
    response.mutable_all_extension_numbers_response()->set_base_type_name(name);
    std::vector<const FieldDescriptor*> extensions;
    pool.FindAllExtensions(type, &extensions);
    for (const FieldDescriptor* extension : extensions) {
      response.mutable_all_extension_numbers_response()->add_extension_number(extension->number());
    }
  }

  std::vector<std::string> services_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewReflectionV1(std::vector<std::string> services) {
  return std::make_unique<ReflectionService<V1>>(std::move(services));
}

std::unique_ptr<grpc::Service> NewReflectionV1Alpha(std::vector<std::string> services) {
  return std::make_unique<ReflectionService<V1Alpha>>(std::move(services));
}

}  // namespace pat
