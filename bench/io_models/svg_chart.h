// Draws horizontal bars as an SVG document: groups below each other, each with its rows
// and several measures side by side. No library: it is rectangles and text.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_SVG_CHART_H_
#define RINGCP_BENCH_IO_MODELS_SVG_CHART_H_

#include <optional>
#include <string>
#include <vector>

namespace ringcp::io_models {

struct ChartRow {
  std::string label;
  // One for each measure of the group; absent for what was not measured. Not negative.
  std::vector<std::optional<double>> values;
  std::string words;  // In place of bars, if there is no value at all.
};

struct ChartGroup {
  std::string title;
  std::vector<std::string> measures;
  std::vector<ChartRow> rows;
};

// From here on a measure's scale is logarithmic: the largest value is so many times the
// smallest that is not zero. With more, the smallest bars would be a few pixels.
inline constexpr double kLogarithmicFrom = 20;

// A whole document. All text is escaped.
std::string SvgChart(const std::string& title, const std::vector<ChartGroup>& groups);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SVG_CHART_H_
