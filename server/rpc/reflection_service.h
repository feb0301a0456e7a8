// Server reflection, v1 and v1alpha: what grpcurl and buf curl ask to learn the API.
//
// gRPC's plugin of this version serves v1alpha only. The two protocols have the same messages, so one template serves
// both, from the descriptors that are linked into the program; that includes google.rpc's error details, so that
// clients can render them.
#ifndef PAT_SERVER_RPC_REFLECTION_SERVICE_H_
#define PAT_SERVER_RPC_REFLECTION_SERVICE_H_

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace pat {

// `services`: the full names to be listed. Threads: gRPC calls them from several threads; they do not change.
std::unique_ptr<grpc::Service> NewReflectionV1(std::vector<std::string> services);
std::unique_ptr<grpc::Service> NewReflectionV1Alpha(std::vector<std::string> services);

}  // namespace pat

#endif  // PAT_SERVER_RPC_REFLECTION_SERVICE_H_
