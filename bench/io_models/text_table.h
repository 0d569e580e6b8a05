// A table in plain text with aligned columns.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_BENCH_IO_MODELS_TEXT_TABLE_H_
#define RINGCP_BENCH_IO_MODELS_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace ringcp::io_models {

class TextTable {
 public:
  // The first `left_columns` are aligned to the left; the others hold numbers, and are
  // aligned to the right.
  explicit TextTable(std::vector<std::string> head, size_t left_columns = 1);

  // `cells` may be fewer than the columns; then `words` follow them, however long they
  // are.
  void AddRow(std::vector<std::string> cells, std::string words);

  // Lines, each with its newline.
  std::string Text() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string words;
  };

  const size_t left_columns_;
  std::vector<Row> rows_;  // The head is the first.
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_TEXT_TABLE_H_
