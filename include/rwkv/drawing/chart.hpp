#pragma once
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rwkv/drawing/axis.hpp>

// Line charts as SVG.
namespace drawing {

struct Series {
  std::string name, colour;
  std::vector<std::pair<double, double>> points;  ///< from left to right; positive where the axis is logarithmic
  bool dashed = false;
  std::vector<std::pair<double, double>> band = {};  ///< the lowest and highest at every point, if there is a spread
};

/// An upright line at x, with words beside it.
struct Mark {
  double x;
  std::string words;
};

struct Chart {
  std::string title, across, up;
  std::vector<Series> series;
  std::vector<Mark> marks = {};
  Scale across_scale = Scale::logarithmic, up_scale = Scale::logarithmic;
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

/// For SVG and HTML.
inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '\'' ? "&#39;" : std::string(1, c);
  return out;
}

namespace detail {

/// `format` with the numbers in place of its %.0f and %.1f, at most four.
inline std::string at(std::string_view format, double a, double b, double c = 0, double d = 0) {
  std::string text;
  for (const double x : {a, b, c, d}) {
    const std::size_t percent = format.find("%.");
    if (percent == format.npos) break;
    text.append(format.substr(0, percent)) += rwkv::fixed_text(x, format[percent + 2] - '0');
    format.remove_prefix(percent + 4);
  }
  return text.append(format);
}

struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void add(double x) { low = std::min(low, x), high = std::max(high, x); }
};

inline std::string line(const Series& s, const Axis& across, const Axis& up, double left, double key) {
  const std::string stroke =
      " fill='none' stroke='" + s.colour + "' stroke-width='2'" + (s.dashed ? " stroke-dasharray='6 4'" : "") + "/>";
  std::string path, edge, svg;
  for (const auto& [x, y] : s.points) path += at(path.empty() ? "M%.1f %.1f" : "L%.1f %.1f", across(x), up(y));
  for (std::size_t i = 0; i < s.band.size(); ++i)
    edge += at(i == 0 ? "M%.1f %.1f" : "L%.1f %.1f", across(s.points[i].first), up(s.band[i].first));
  for (std::size_t i = s.band.size(); i-- > 0;)
    edge += at("L%.1f %.1f", across(s.points[i].first), up(s.band[i].second));
  if (!edge.empty()) svg = "<path d='" + edge + "Z' stroke='none' fill-opacity='0.2' fill='" + s.colour + "'/>";
  return svg + "<path d='" + path + "'" + stroke + at("<path d='M%.1f %.1fh22'", left, key) + stroke +
         at("<text x='%.1f' y='%.1f'>", left + 28, key + 4) + escaped(s.name) + "</text>\n";
}

inline std::string panel(const Chart& chart, double left, double top, double width, double height) {
  Range x, y;
  for (const Series& s : chart.series) {
    for (const auto& [a, b] : s.points) x.add(a), y.add(b);
    for (const auto& [low, high] : s.band) y.add(low), y.add(high);
  }
  if (!(x.low < x.high)) return "";
  if (chart.up_scale == Scale::logarithmic)
    y = {std::pow(10, std::floor(std::log10(y.low))), std::pow(10, std::ceil(std::log10(y.high) + 1e-9))};
  else
    y = {y.low - 0.05 * (y.high - y.low), y.high + 0.05 * (y.high - y.low) + 1e-9};
  const Axis across{chart.across_scale, x.low, x.high, left, left + width},
      up{chart.up_scale, y.low, y.high, top + height, top};
  std::string svg =
      at("<text x='%.1f' y='%.1f' font-weight='bold'>", left, top - 12) + escaped(chart.title) + "</text>\n";
  for (const double tick : up.ticks(10))
    svg += at("<path d='M%.1f %.1fh%.1f' stroke='#ddd'/>", left, up(tick), width) +
           at("<text x='%.1f' y='%.1f' text-anchor='end'>", left - 6, up(tick) + 4) + short_value(tick) + "</text>\n";
  for (const double tick : across.ticks(4))
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#eee'/>", across(tick), top, height) +
           at("<text x='%.1f' y='%.1f' text-anchor='middle'>", across(tick), top + height + 16) +
           (tick < 1e4 && tick >= 1 ? std::to_string(static_cast<long>(tick + 0.5)) : short_value(tick)) + "</text>\n";
  svg += at("<text x='%.1f' y='%.1f' text-anchor='middle'>", left + width / 2, top + height + 36) +
         escaped(chart.across) + "</text>\n" +
         at("<text transform='translate(%.1f %.1f) rotate(-90)' text-anchor='middle'>", left - 52, top + height / 2) +
         escaped(chart.up) + "</text>\n";
  for (const Mark& mark : chart.marks)
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#555' stroke-dasharray='2 3'/>", across(mark.x), top, height) +
           at("<text x='%.1f' y='%.1f' fill='#333'>", across(mark.x) + 5, top + height - 8) + escaped(mark.words) +
           "</text>\n";
  const bool falls = chart.up_scale == Scale::linear;  // a curve of losses leaves its upper right empty
  double key = top + 16;
  for (const Series& s : chart.series) svg += line(s, across, up, left + (falls ? width * 0.5 : 10), key), key += 18;
  return svg;
}

}  // namespace detail

/// The charts side by side, with a line of words below.
inline std::string svg(const std::vector<Chart>& charts, const std::string& words) {
  constexpr double panel = 520, height = 460;
  std::string out = detail::at("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f'",
                               panel * double(charts.size()), height) +
                    " font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n";
  for (std::size_t i = 0; i < charts.size(); ++i)
    out += detail::panel(charts[i], 80 + panel * double(i), 40, panel - 110, height - 120);
  return out + detail::at("<text x='20' y='%.0f' fill='#555'>", height - 12, 0) + escaped(words) + "</text>\n</svg>\n";
}

}  // namespace drawing
