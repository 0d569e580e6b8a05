#include "bench/io_models/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringcp::io_models {
namespace {

// In pixels.
constexpr int kMargin = 20;
constexpr int kLabelWidth = 170;
constexpr int kColumnWidth = 270;
constexpr int kBarWidthMax = 190;  // Leaves room for the value behind the longest bar.
constexpr int kRowHeight = 20;
constexpr int kBarHeight = 13;
constexpr int kHeadHeight = 56;   // Of a group: its title and the measures' names.
constexpr int kTitleHeight = 40;  // Of the document.

// One for each measure; colour-blind people can tell them apart.
constexpr std::array kColours = {"#3b7dd8", "#d98324", "#5a9e6f"};

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    switch (byte) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        // XML allows no other control characters.
        escaped += static_cast<unsigned char>(byte) < 0x20 ? ' ' : byte;
    }
  }
  return escaped;
}

std::string Text(int x, int y, const char* style, std::string_view text) {
  return absl::StrFormat("<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>\n", x, y, style,
                         Escape(text));
}

// Three significant digits: "0.05", "4.17", "38.2", "1230".
std::string Value(double value) {
  if (value >= 100) return absl::StrFormat("%.0f", value);
  if (value >= 10) return absl::StrFormat("%.1f", value);
  return absl::StrFormat("%.2f", value);
}

// How long the bars of one measure are.
class Scale {
 public:
  Scale(const ChartGroup& group, size_t measure) {
    double smallest = 0;
    for (const ChartRow& row : group.rows) {
      if (measure >= row.values.size() || !row.values[measure].has_value()) continue;
      const double value = *row.values[measure];
      largest_ = std::max(largest_, value);
      if (value > 0 && (smallest == 0 || value < smallest)) smallest = value;
    }
    is_logarithmic_ = smallest > 0 && largest_ / smallest > kLogarithmicFrom;
    // A power of ten below the smallest value, so that its bar is visible.
    if (is_logarithmic_) base_ = std::pow(10, std::floor(std::log10(smallest)) - 0.3);
  }

  bool is_logarithmic() const { return is_logarithmic_; }

  double Pixels(double value) const {
    if (largest_ <= 0 || value <= 0) return 0;
    const double share = is_logarithmic_
                             ? std::log(value / base_) / std::log(largest_ / base_)
                             : value / largest_;
    return kBarWidthMax * std::clamp(share, 0.0, 1.0);
  }

 private:
  double largest_ = 0;
  double base_ = 0;  // Where a logarithmic scale begins.
  bool is_logarithmic_ = false;
};

int ColumnLeft(size_t measure) {
  return kMargin + kLabelWidth + static_cast<int>(measure) * kColumnWidth;
}

int Height(const ChartGroup& group) {
  return kHeadHeight + static_cast<int>(group.rows.size()) * kRowHeight + kMargin;
}

std::string Column(const ChartGroup& group, size_t measure, int top) {
  const Scale scale(group, measure);
  const int left = ColumnLeft(measure);
  std::string svg = Text(left, top + 40, "measure",
                         absl::StrCat(group.measures[measure],
                                      scale.is_logarithmic() ? " (logarithmic)" : ""));
  for (size_t i = 0; i < group.rows.size(); ++i) {
    const std::vector<std::optional<double>>& values = group.rows[i].values;
    if (measure >= values.size() || !values[measure].has_value()) continue;
    const int row_top = top + kHeadHeight + static_cast<int>(i) * kRowHeight;
    const double width = scale.Pixels(*values[measure]);
    absl::StrAppendFormat(&svg,
                          "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" "
                          "fill=\"%s\"/>\n",
                          left, row_top, width, kBarHeight,
                          kColours[measure % kColours.size()]);
    svg += Text(left + static_cast<int>(width) + 5, row_top + 11, "value",
                Value(*values[measure]));
  }
  return svg;
}

std::string Group(const ChartGroup& group, int top) {
  std::string svg = Text(kMargin, top + 16, "group", group.title);
  for (size_t i = 0; i < group.rows.size(); ++i) {
    const int y = top + kHeadHeight + static_cast<int>(i) * kRowHeight + 11;
    svg += Text(kMargin, y, "label", group.rows[i].label);
    if (!group.rows[i].words.empty()) {
      svg += Text(ColumnLeft(0), y, "words", group.rows[i].words);
    }
  }
  for (size_t measure = 0; measure < group.measures.size(); ++measure) {
    svg += Column(group, measure, top);
  }
  return svg;
}

constexpr char kStyle[] =
    "<style>text{font-family:sans-serif;font-size:12px;fill:#222}"
    ".title{font-size:16px;font-weight:bold}.group{font-size:14px;font-weight:bold}"
    ".measure{fill:#555}.value{font-size:11px;fill:#333}"
    ".words{font-size:11px;fill:#999;font-style:italic}</style>\n";

}  // namespace

std::string SvgChart(const std::string& title, const std::vector<ChartGroup>& groups) {
  size_t measures = 1;
  int height = kTitleHeight + kMargin;
  for (const ChartGroup& group : groups) {
    measures = std::max(measures, group.measures.size());
    height += Height(group);
  }
  const int width = ColumnLeft(measures) + kMargin;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
      "viewBox=\"0 0 %d %d\">\n%s<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
      width, height, width, height, kStyle, width, height);
  svg += Text(kMargin, kMargin + 12, "title", title);
  int top = kTitleHeight + kMargin;
  for (const ChartGroup& group : groups) {
    svg += Group(group, top);
    top += Height(group);
  }
  return svg + "</svg>";
}

}  // namespace ringcp::io_models
