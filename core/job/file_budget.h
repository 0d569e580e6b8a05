// How the files that a job may have open are shared out: to its workers, each with a ring
// and copies in flight, to the directories that its walk keeps open, and to its tally.
// With few of them fewer workers copy fewer files at a time; the least is one worker
// without a ring, one file, and two directories.
//
// Thread-safety: pure, but for DefaultFilesMax(), which any thread may call.

#ifndef RINGCP_CORE_JOB_FILE_BUDGET_H_
#define RINGCP_CORE_JOB_FILE_BUDGET_H_

namespace ringcp {

struct FileBudget {
  // The process has so many files open besides a job's: standard streams, logs, sockets;
  // but no more than one in kOtherFilesShare of those it may have.
  static constexpr int kOtherFiles = 64;
  static constexpr int kOtherFilesShare = 4;
  // The tally gets at most one in so many, and is left out where that is less than
  // kTallyDirectoriesMin.
  static constexpr int kTallyShare = 8;
  static constexpr int kTallyDirectoriesMin = 4;

  int files_max = 0;  // What is left to workers and directories.
  int workers = 1;
  int rings = 0;              // Of each worker; 0 if there is no room for any.
  int tally_directories = 0;  // 0: the sources are not to be tallied.

  // Directories that may be open, each on both sides, while each worker has so many
  // copies in flight: two at least, because one is opened in another.
  int DirectoriesMax(int copies_in_flight) const;
};

// What the process may have open, without what it needs for other things than one job.
int DefaultFilesMax();

// Shares out `files_max` files to at most `workers` workers, who would like to have
// `rings` rings each. REQUIRES: workers > 0.
FileBudget PlanFiles(int files_max, int workers, int rings);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_FILE_BUDGET_H_
