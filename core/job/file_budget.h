// Shares out the files that a job may have open: to its workers, each with rings and
// copies in flight, to the directories that its walk keeps open, and to its tally. If the
// job may have only a few, fewer workers copy fewer files at a time; the least is one
// worker without a ring, one file, and two directories.
//
// Thread-safety: pure, except for DefaultFilesMax(), which any thread may call.

#ifndef RINGCP_CORE_JOB_FILE_BUDGET_H_
#define RINGCP_CORE_JOB_FILE_BUDGET_H_

namespace ringcp {

struct FileBudget {
  // Files that the process has open besides a job's: standard streams, logs, sockets.
  // They are counted as at most one in kOtherFilesShare of the files that it may have
  // open.
  static constexpr int kOtherFiles = 64;
  static constexpr int kOtherFilesShare = 4;
  // The tally gets at most one file in so many, and is left out if that is less than
  // kTallyDirectoriesMin.
  static constexpr int kTallyShare = 8;
  static constexpr int kTallyDirectoriesMin = 4;

  int files_max = 0;  // What is left for workers and directories.
  int workers = 1;
  int rings = 0;              // Of each worker; 0 if there is no room for any.
  int tally_directories = 0;  // 0: the sources are not to be tallied.

  // How many directories may be open, each on both sides, while each worker has
  // `copies_in_flight` copies in flight. At least two, because a directory is opened from
  // its parent, which is open then.
  int DirectoriesMax(int copies_in_flight) const;
};

// The number of files that the process may have open, less what it needs for other things
// than one job.
int DefaultFilesMax();

// Shares out `files_max` files to at most `workers` workers, each of which would like to
// have `rings` rings.
// REQUIRES: workers > 0.
FileBudget PlanFiles(int files_max, int workers, int rings);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_FILE_BUDGET_H_
