// A benchmark's own directory, removed with everything in it when the benchmark ends. It
// lies in TMPDIR; `./dev bench in-process` chooses a tmpfs.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_BENCH_WORK_DIRECTORY_H_
#define RINGCP_BENCH_WORK_DIRECTORY_H_

#include <cstdint>
#include <string>

namespace ringcp {

class WorkDirectory {
 public:
  // These functions stop the program if they can't make the directory or file.
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  // The path of `name` in the directory.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // Each makes `name` and returns its path.
  std::string MakeDirectory(const std::string& name) const;
  std::string MakeFile(const std::string& name, uint64_t size_bytes) const;

 private:
  std::string path_;
};

}  // namespace ringcp

#endif  // RINGCP_BENCH_WORK_DIRECTORY_H_
