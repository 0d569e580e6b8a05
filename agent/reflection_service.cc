#include "agent/reflection_service.h"

#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"
#include "third_party/grpc_reflection/reflection_v1.grpc.pb.h"
#include "third_party/grpc_reflection/reflection_v1alpha.grpc.pb.h"

namespace ringcp {
namespace {

namespace reflection = grpc::reflection;

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

// The most bytes of a request's text that an answer repeats in words.
constexpr size_t kNameBytesMax = 100;

std::string Shown(const std::string& name) {
  return absl::CHexEscape(name.substr(0, kNameBytesMax));
}

template <typename Response>
void SetNotFound(const std::string& what, Response* response) {
  response->mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response->mutable_error_response()->set_error_message(
      absl::StrCat("there is no ", what));
}

// Adds `file`, and before it what it imports, each file once.
template <typename Response>
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>* added,
             Response* response) {
  if (!added->insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) {
    AddFile(*file.dependency(i), added, response);
  }
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response->mutable_file_descriptor_response()->add_file_descriptor_proto(
      proto.SerializeAsString());
}

template <typename Response>
void SetFile(const FileDescriptor* file, const std::string& what, Response* response) {
  if (file == nullptr) return SetNotFound(what, response);
  std::set<const FileDescriptor*> added;
  AddFile(*file, &added, response);
}

template <typename Response>
void SetExtensionNumbers(const std::string& type, Response* response) {
  const google::protobuf::Descriptor* const message = Pool().FindMessageTypeByName(type);
  if (message == nullptr) {
    return SetNotFound(absl::StrCat("message ", Shown(type)), response);
  }
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  Pool().FindAllExtensions(message, &extensions);
  auto* const numbers = response->mutable_all_extension_numbers_response();
  numbers->set_base_type_name(message->full_name());
  for (const auto* const extension : extensions) {
    numbers->add_extension_number(extension->number());
  }
}

// The answer to `request`.
template <typename Request, typename Response>
void Answer(const std::vector<std::string>& services, const Request& request,
            Response* response) {
  response->Clear();
  response->set_valid_host(request.host());
  *response->mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      return SetFile(Pool().FindFileByName(request.file_by_filename()),
                     absl::StrCat("file ", Shown(request.file_by_filename())), response);
    case Request::kFileContainingSymbol:
      return SetFile(Pool().FindFileContainingSymbol(request.file_containing_symbol()),
                     absl::StrCat("symbol ", Shown(request.file_containing_symbol())),
                     response);
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const auto* const type = Pool().FindMessageTypeByName(wanted.containing_type());
      const auto* const extension =
          type == nullptr ? nullptr
                          : Pool().FindExtensionByNumber(type, wanted.extension_number());
      return SetFile(extension == nullptr ? nullptr : extension->file(),
                     absl::StrCat("extension ", wanted.extension_number(), " of ",
                                  Shown(wanted.containing_type())),
                     response);
    }
    case Request::kAllExtensionNumbersOfType:
      return SetExtensionNumbers(request.all_extension_numbers_of_type(), response);
    case Request::kListServices:
      response->mutable_list_services_response();
      for (const std::string& service : services) {
        response->mutable_list_services_response()->add_service()->set_name(service);
      }
      return;
    case Request::MESSAGE_REQUEST_NOT_SET:
      break;
  }
  response->mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
  response->mutable_error_response()->set_error_message("the request asks for nothing");
}

// One stream: reads a request, answers it, reads the next one. It owns itself.
template <typename Request, typename Response>
class Stream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  explicit Stream(const std::vector<std::string>* services) : services_(services) {
    this->StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::OK);
    Answer(*services_, request_, &response_);
    this->StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::CANCELLED);
    this->StartRead(&request_);
  }
  // A read or a write is always under way, and fails then.
  void OnCancel() override {}
  void OnDone() override { delete this; }

 private:
  const std::vector<std::string>* const services_;
  Request request_;
  Response response_;
};

template <typename Base, typename Request, typename Response>
class ReflectionService final : public Base {
 public:
  explicit ReflectionService(std::vector<std::string> services)
      : services_(std::move(services)) {}

  grpc::ServerBidiReactor<Request, Response>* ServerReflectionInfo(
      grpc::CallbackServerContext* /*context*/) override {
    return new Stream<Request, Response>(&services_);
  }

 private:
  const std::vector<std::string> services_;
};

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> MakeReflectionServices(
    std::vector<std::string> services) {
  services.emplace_back(reflection::v1::ServerReflection::service_full_name());
  services.emplace_back(reflection::v1alpha::ServerReflection::service_full_name());
  std::vector<std::unique_ptr<grpc::Service>> made;
  made.push_back(std::make_unique<
                 ReflectionService<reflection::v1::ServerReflection::CallbackService,
                                   reflection::v1::ServerReflectionRequest,
                                   reflection::v1::ServerReflectionResponse>>(services));
  made.push_back(
      std::make_unique<
          ReflectionService<reflection::v1alpha::ServerReflection::CallbackService,
                            reflection::v1alpha::ServerReflectionRequest,
                            reflection::v1alpha::ServerReflectionResponse>>(services));
  return made;
}

}  // namespace ringcp
