#include "bench/io_models/text_table.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ringcp::io_models {
namespace {

constexpr char kGap[] = "  ";

// In characters: "µ" is one character of two bytes.
size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  }));
}

}  // namespace

TextTable::TextTable(std::vector<std::string> head, size_t left_columns)
    : left_columns_(left_columns), rows_({{.cells = std::move(head), .words = ""}}) {}

void TextTable::AddRow(std::vector<std::string> cells, std::string words) {
  rows_.push_back({.cells = std::move(cells), .words = std::move(words)});
}

std::string TextTable::Text() const {
  std::vector<size_t> widths(rows_[0].cells.size(), 0);
  for (const Row& row : rows_) {
    for (size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row.cells[i]));
    }
  }
  std::string text;
  for (const Row& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const std::string padding(widths[i] - Width(row.cells[i]), ' ');
      const bool left = i < left_columns_;
      absl::StrAppend(&line, i == 0 ? "" : kGap, left ? "" : padding, row.cells[i],
                      left ? padding : "");
    }
    if (!row.words.empty()) absl::StrAppend(&line, kGap, row.words);
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace ringcp::io_models
