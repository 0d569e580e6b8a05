// False reports of ThreadSanitizer. A program has only one such list.

extern "C" {

const char* __tsan_default_suppressions() {
  return
      // A ring has closed a descriptor. ThreadSanitizer does not see that, so if another
      // thread closes the next file with the same number, it takes both for the same
      // file.
      "race_top:interceptor_close$\n"
      // Memory that gRPC handed over through a lock-free queue (tsan_grpc.cc), and that
      // an intercepted function (memcpy, recvmsg, operator delete) then touches inside
      // gRPC. All functions listed are inside gRPC and abseil, and never call our code.
      "race:absl::debian3::synchronization_internal::GraphCycles\n"
      "race:fd_create\n"
      "race:grpc_core::Arena::Destroy\n"
      "race:grpc_core::FilterStackCall::~FilterStackCall\n"
      "race:grpc_core::Server::AllocatingRequestMatcherRegistered\n"
      "race:grpc_core::internal::StatusMoveFromHeapPtr\n"
      "race:grpc_event_engine::experimental::MemoryAllocator::MakeSlice\n"
      "race:grpc_slice_buffer_\n"
      "race:tcp_do_read\n"
      "race:^cq_next\n";
}

}  // extern "C"
