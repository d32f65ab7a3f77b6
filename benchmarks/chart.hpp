#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

// Line charts with logarithmic axes, as SVG.
namespace bench {

struct Series {
  std::string name, colour;
  std::vector<std::pair<double, double>> points;  ///< both positive, from left to right
  bool dashed = false;
};

/// An upright line at x, with words beside it.
struct Mark {
  double x;
  std::string words;
};

struct Chart {
  std::string title, across, up;
  std::vector<Series> series;
  std::vector<Mark> marks;
};

/// Where two lines cross, by straight lines between logarithms; 0 where they do not.
inline double crossing(const Series& a, const Series& b) {
  double before = 0, x_before = 0;
  for (const auto& [x, ya] : a.points)
    for (const auto& [other, yb] : b.points) {
      if (x != other) continue;
      const double now = std::log(ya / yb);
      if (before != 0 && (before < 0) != (now < 0))
        return std::exp(std::log(x_before) + std::log(x / x_before) * before / (before - now));
      before = now, x_before = x;
    }
  return 0;
}

namespace detail {

struct Axis {
  double low, high, from, to;  // values, and the pixels where they lie

  double operator()(double value) const { return from + (to - from) * std::log(value / low) / std::log(high / low); }
};

inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}
/// 1000 is 1k, 0.001 is 1m.
inline std::string short_value(double value) {
  const std::pair<double, const char*> units[] = {{1e9, "G"}, {1e6, "M"},  {1e3, "k"},
                                                  {1, ""},    {1e-3, "m"}, {1e-6, "µ"}};
  char text[32];
  for (const auto& [unit, name] : units)
    if (value >= unit * 0.9999) {
      std::snprintf(text, sizeof text, "%.3g%s", value / unit, name);
      return text;
    }
  std::snprintf(text, sizeof text, "%.0e", value);
  return text;
}
inline std::string at(const char* format, double a, double b, double c = 0, double d = 0) {
  char text[200];
  std::snprintf(text, sizeof text, format, a, b, c, d);
  return text;
}

inline std::string panel(const Chart& chart, double left, double top, double width, double height) {
  double x0 = HUGE_VAL, x1 = 0, y0 = HUGE_VAL, y1 = 0;
  for (const Series& s : chart.series)
    for (const auto& [x, y] : s.points) {
      x0 = std::min(x0, x), x1 = std::max(x1, x);
      y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
  if (!(x0 < x1)) return "";
  y0 = std::pow(10, std::floor(std::log10(y0))), y1 = std::pow(10, std::ceil(std::log10(y1) + 1e-9));
  const Axis across{x0, x1, left, left + width}, up{y0, y1, top + height, top};
  std::string svg =
      at("<text x='%.1f' y='%.1f' font-weight='bold'>", left, top - 12) + escaped(chart.title) + "</text>\n";
  for (double y = y0; y < y1 * 1.01; y *= 10)
    svg += at("<path d='M%.1f %.1fh%.1f' stroke='#ddd'/>", left, up(y), width) +
           at("<text x='%.1f' y='%.1f' text-anchor='end'>", left - 6, up(y) + 4) + short_value(y) + "</text>\n";
  for (double x = x0; x < x1 * 1.01; x *= 4)
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#eee'/>", across(x), top, height) +
           at("<text x='%.1f' y='%.1f' text-anchor='middle'>", across(x), top + height + 16) +
           std::to_string(static_cast<long>(x + 0.5)) + "</text>\n";
  svg += at("<text x='%.1f' y='%.1f' text-anchor='middle'>", left + width / 2, top + height + 36) +
         escaped(chart.across) + "</text>\n" +
         at("<text transform='translate(%.1f %.1f) rotate(-90)' text-anchor='middle'>", left - 52, top + height / 2) +
         escaped(chart.up) + "</text>\n";
  for (const Mark& mark : chart.marks)
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#555' stroke-dasharray='2 3'/>", across(mark.x), top, height) +
           at("<text x='%.1f' y='%.1f' fill='#333'>", across(mark.x) + 5, top + height - 8) + escaped(mark.words) +
           "</text>\n";
  double key = top + 16;
  for (const Series& s : chart.series) {
    const std::string stroke =
        " fill='none' stroke='" + s.colour + "' stroke-width='2'" + (s.dashed ? " stroke-dasharray='6 4'" : "") + "/>";
    std::string path;
    for (const auto& [x, y] : s.points) path += at(path.empty() ? "M%.1f %.1f" : "L%.1f %.1f", across(x), up(y));
    svg += "<path d='" + path + "'" + stroke + at("<path d='M%.1f %.1fh22'", left + 10, key) + stroke +
           at("<text x='%.1f' y='%.1f'>", left + 38, key + 4) + escaped(s.name) + "</text>\n";
    key += 18;
  }
  return svg;
}

}  // namespace detail

/// The charts side by side, with a line of words below, in one file. False if it cannot be written.
inline bool write_svg(const std::string& path, const std::vector<Chart>& charts, const std::string& words) {
  constexpr double panel = 520, height = 460;
  std::ofstream file(path);
  file << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " << panel * double(charts.size()) << ' ' << height
       << "' font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n";
  for (std::size_t i = 0; i < charts.size(); ++i)
    file << detail::panel(charts[i], 80 + panel * double(i), 40, panel - 110, height - 120);
  file << "<text x='20' y='" << height - 12 << "' fill='#555'>" << detail::escaped(words) << "</text>\n</svg>\n";
  return static_cast<bool>(file.flush());
}

}  // namespace bench
