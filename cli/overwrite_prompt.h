// Asks at the terminal whether an existing file may be replaced (-i), in GNU cp's words
// and by its rules: the question goes to standard error, the answer comes from standard
// input, and which answers mean yes is up to the user's locale.
//
// Thread-safety: belongs to one thread at a time, except Stop().

#ifndef RINGCP_CLI_OVERWRITE_PROMPT_H_
#define RINGCP_CLI_OVERWRITE_PROMPT_H_

#include <sys/types.h>

#include <atomic>
#include <string>
#include <string_view>

namespace ringcp {

// "rwsr-x--T": the permissions in `mode` as ls(1) shows them.
std::string PermissionLetters(mode_t mode);

// The question about `target`, whose st_mode is `mode`; `removes`: it is removed if need
// be. It ends with "? ".
std::string OverwriteQuestion(std::string_view target, mode_t mode, bool removes);

class OverwritePrompt {
 public:
  // Reads answers from `descriptor`, which stays the caller's.
  explicit OverwritePrompt(int descriptor) : descriptor_(descriptor) {}
  // Gives what was read ahead back, if the input is a file: it is for the program that
  // reads on, as behind GNU cp.
  ~OverwritePrompt();
  OverwritePrompt(const OverwritePrompt&) = delete;
  OverwritePrompt& operator=(const OverwritePrompt&) = delete;

  // Reads a line, and returns whether it means yes. The end of the input, an error and
  // Stop() mean no.
  bool ReadAnswer();

  // Ends ReadAnswer(), also those to come. Async-signal-safe; any thread may call it.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  // How long a stop may go unnoticed, in milliseconds: a signal's handler can't wake the
  // thread that waits for an answer.
  static constexpr int kPollMilliseconds = 100;

  // Waits for more input. False if there is none any more.
  bool Read();

  const int descriptor_;
  std::atomic<bool> stopped_ = false;
  std::string unread_;
};

}  // namespace ringcp

#endif  // RINGCP_CLI_OVERWRITE_PROMPT_H_
