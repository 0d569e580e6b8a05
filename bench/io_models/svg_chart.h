// Draws horizontal bars as an SVG document: groups one below the other, each with rows
// and several measures side by side. Needs no library, because it is only rectangles and
// text.
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
  // One value for each measure of the group, not negative; absent if it was not measured.
  std::vector<std::optional<double>> values;
  std::string words;  // Shown instead of bars if there is no value at all.
};

struct ChartGroup {
  std::string title;
  std::vector<std::string> measures;
  std::vector<ChartRow> rows;
};

// If the largest value of a measure is at least so many times its smallest one that is
// not zero, the scale is logarithmic; otherwise the smallest bars would be a few pixels.
inline constexpr double kLogarithmicFrom = 20;

// A whole document. All text is escaped.
std::string SvgChart(const std::string& title, const std::vector<ChartGroup>& groups);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SVG_CHART_H_
