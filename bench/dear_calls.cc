// System calls that cost more, as they do on other machines.
//
//   dear_calls cost
//     prints what a system call takes, in ns: getppid, which does nothing.
//   dear_calls fit NANOSECONDS
//     prints how many instructions of a filter add so much to every call.
//   dear_calls run INSTRUCTIONS PROGRAM [ARGUMENT...]
//     becomes the program, whose calls pass such a filter.
//
// The filter is one of seccomp's that permits everything. What io_uring is asked to do is
// no system call and passes no filter; io_uring_enter is one.

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace ringcp {
namespace {

// Besides those that add time: the first and the last.
constexpr int kInstructionsMax = BPF_MAXINSNS - 2;
// What lengths a fit is made from. Divisions take nanoseconds, so that few are needed:
// what is longer than about 10 KiB of machine code takes more for each than a straight
// line.
constexpr int kFewInstructions = 50;
constexpr int kManyInstructions = 250;

// A call takes 0.1 to 5 µs; the best of many spells is one that nothing interrupted.
constexpr int kCalls = 2'000;
constexpr int kSpells = 50;

constexpr int kUsageCode = 2;

// From now on each call of this process passes `instructions`. Ends the process if that
// is refused.
void MakeCallsDear(int instructions) {
  std::vector<sock_filter> program;
  program.reserve(instructions + 2);
  // A filter that looks at nothing but the call's number is not run for each call: the
  // kernel keeps its answers (since Linux 5.11).
  program.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, instruction_pointer)));
  program.insert(program.end(), instructions, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {.len = static_cast<unsigned short>(program.size()),
                             .filter = program.data()};
  // SPEC_ALLOW: else some kernels slow down the program itself, too.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
              &filter) != 0) {
    perror("dear_calls: seccomp");
    exit(1);
  }
}

double CallNanoseconds() {
  using Clock = std::chrono::steady_clock;
  Clock::duration best = Clock::duration::max();
  for (int spell = 0; spell < kSpells; ++spell) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kCalls; ++i) syscall(SYS_getppid);
    best = std::min(best, Clock::now() - start);
  }
  return std::chrono::duration<double, std::nano>(best).count() / kCalls;
}

// What a call takes behind a filter of so many instructions, found out in a process of
// its own, because a filter stays.
double DearCallNanoseconds(int instructions) {
  int ends[2];
  if (pipe(ends) != 0) {
    perror("dear_calls: pipe");
    exit(1);
  }
  const pid_t child = fork();
  if (child == 0) {
    MakeCallsDear(instructions);
    const double found = CallNanoseconds();
    _exit(write(ends[1], &found, sizeof(found)) == sizeof(found) ? 0 : 1);
  }
  close(ends[1]);
  double nanoseconds = 0;
  const bool is_found =
      read(ends[0], &nanoseconds, sizeof(nanoseconds)) == sizeof(nanoseconds);
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  if (!is_found) exit(1);
  return nanoseconds;
}

// How many instructions add `nanoseconds` to each call, by a straight line through two
// measured lengths.
int Fit(int nanoseconds) {
  const double few = DearCallNanoseconds(kFewInstructions);
  const double many = DearCallNanoseconds(kManyInstructions);
  const double each = (many - few) / (kManyInstructions - kFewInstructions);
  if (each <= 0) {
    fprintf(stderr, "dear_calls: filters cost nothing here\n");
    exit(1);
  }
  const double wanted = CallNanoseconds() + nanoseconds;
  const double instructions = kFewInstructions + (wanted - few) / each;
  return std::clamp(static_cast<int>(std::lround(instructions)), 1, kInstructionsMax);
}

[[noreturn]] void Run(int instructions, char** command) {
  MakeCallsDear(instructions);
  execvp(command[0], command);
  fprintf(stderr, "dear_calls: %s: %s\n", command[0], strerror(errno));
  exit(1);
}

// The number that `text` is, from 1 to `max`; 0 if it is none.
int NumberOf(std::string_view text, int max) {
  int number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number && number >= 1 && number <= max ? number : 0;
}

int Main(int count, char** arguments) {
  const std::string_view command = count > 1 ? arguments[1] : "";
  if (command == "cost" && count == 2) {
    printf("%.0f\n", CallNanoseconds());
    return 0;
  }
  if (command == "fit" && count == 3) {
    if (const int nanoseconds = NumberOf(arguments[2], 1'000'000)) {
      printf("%d\n", Fit(nanoseconds));
      return 0;
    }
  }
  if (command == "run" && count > 3) {
    if (const int instructions = NumberOf(arguments[2], kInstructionsMax)) {
      Run(instructions, arguments + 3);
    }
  }
  fprintf(stderr,
          "usage: dear_calls cost\n"
          "       dear_calls fit NANOSECONDS\n"
          "       dear_calls run INSTRUCTIONS PROGRAM [ARGUMENT...]\n");
  return kUsageCode;
}

}  // namespace
}  // namespace ringcp

int main(int count, char** arguments) { return ringcp::Main(count, arguments); }
