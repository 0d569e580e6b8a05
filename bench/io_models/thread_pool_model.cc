#include "bench/io_models/thread_pool_model.h"

#include <latch>
#include <thread>
#include <vector>

#include "bench/io_models/blocking_model.h"

namespace ringcp::io_models {

absl::Status RunThreadPool(FileWork* work, Recording* recording) {
  // Starting and ending threads is not measured: the measured section begins when all
  // threads run, and they end after it.
  std::latch ready(work->lanes());
  std::latch begin(1);
  std::latch done(work->lanes());
  std::latch end(1);
  std::vector<std::thread> threads;
  threads.reserve(work->lanes());
  for (int lane = 0; lane < work->lanes(); ++lane) {
    threads.emplace_back([&, lane] {
      ready.count_down();
      begin.wait();
      bool more = work->Start(lane);
      while (more) more = work->Settle(lane, TransferBlocking(*work, work->op(lane)));
      done.count_down();
      end.wait();
    });
  }
  ready.wait();
  recording->Begin();
  begin.count_down();
  done.wait();
  recording->End();
  end.count_down();
  for (std::thread& thread : threads) thread.join();
  return work->status();
}

}  // namespace ringcp::io_models
