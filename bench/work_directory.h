// A directory of a benchmark's own, removed with all that is in it when the benchmark
// ends. It lies where TMPDIR says; `./dev bench in-process` names a tmpfs.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_BENCH_WORK_DIRECTORY_H_
#define RINGCP_BENCH_WORK_DIRECTORY_H_

#include <cstdint>
#include <string>

namespace ringcp {

class WorkDirectory {
 public:
  // Stops the program where no directory can be made, as the others do with a file.
  WorkDirectory();
  ~WorkDirectory();
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;

  // The path of `name` in it.
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // Each makes `name` and returns its path.
  std::string MakeDirectory(const std::string& name) const;
  std::string MakeFile(const std::string& name, uint64_t size_bytes) const;

 private:
  std::string path_;
};

}  // namespace ringcp

#endif  // RINGCP_BENCH_WORK_DIRECTORY_H_
