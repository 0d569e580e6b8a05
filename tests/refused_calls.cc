#include "tests/refused_calls.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <iterator>
#include <vector>

namespace ringcp {

namespace {

bool Install(const sock_fprog& filter) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

bool RefuseCall(uint32_t system_call, int error_number) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, system_call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error_number)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return Install({.len = std::size(program), .filter = program});
}

bool MakeCallsDear() {
  constexpr int kInstructions = 4000;
  std::vector<sock_filter> program;
  // Linux remembers what a filter says that looks at nothing but the call's number.
  program.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, instruction_pointer)));
  program.insert(program.end(), kInstructions, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return Install(
      {.len = static_cast<uint16_t>(program.size()), .filter = program.data()});
}

}  // namespace ringcp
