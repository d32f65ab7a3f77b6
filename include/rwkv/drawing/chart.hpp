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
  std::vector<std::pair<double, double>> points;     ///< from left to right; positive where the axis is logarithmic
  std::string dash = {};                             ///< lengths of strokes and gaps, as in "6 4"; empty: one stroke
  std::vector<std::pair<double, double>> band = {};  ///< the lowest and highest at every point, if there is a spread
  double width = 2;
};

/// Colours that stay apart for colour-blind readers and in print (Okabe and Ito, 2008), each with a dash of its own: as
/// many lines as one chart can bear.
inline Series style(std::size_t i) {
  static const char* const colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
  static const char* const dashes[] = {"", "9 3", "3 2", "9 3 2 3"};
  return {{}, colours[i % std::size(colours)], {}, dashes[i % std::size(dashes)]};
}

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

/// A panel's measures, in the units of its viewBox: the plot, the ticks' labels left of it and below, and the legend in
/// two columns under them.
struct Frame {
  static constexpr double width = 460, left = 66, right = 30, top = 34, plot = 270, below = 52, row = 18, columns = 2;
  static double height(const Chart& chart) {
    return top + plot + below + row * std::ceil(double(chart.series.size()) / columns);
  }
};

inline std::string line(const Series& s, const Axis& across, const Axis& up, double left, double key) {
  const std::string stroke = " fill='none' stroke='" + s.colour + "'" + at(" stroke-width='%.1f'", s.width, 0) +
                             (s.dash.empty() ? "" : " stroke-dasharray='" + s.dash + "'") + "/>";
  std::string path, edge, svg;
  for (const auto& [x, y] : s.points) path += at(path.empty() ? "M%.1f %.1f" : "L%.1f %.1f", across(x), up(y));
  if (s.points.size() == 1) path += "h0.1";  // a dot
  for (std::size_t i = 0; i < s.band.size(); ++i)
    edge += at(i == 0 ? "M%.1f %.1f" : "L%.1f %.1f", across(s.points[i].first), up(s.band[i].first));
  for (std::size_t i = s.band.size(); i-- > 0;)
    edge += at("L%.1f %.1f", across(s.points[i].first), up(s.band[i].second));
  if (!edge.empty()) svg = "<path d='" + edge + "Z' stroke='none' fill-opacity='0.2' fill='" + s.colour + "'/>";
  return svg + "<path stroke-linecap='" + (s.points.size() == 1 ? "round" : "butt") + "' d='" + path + "'" + stroke +
         at("<path d='M%.1f %.1fh28'", left, key) + stroke + at("<text x='%.1f' y='%.1f'>", left + 34, key + 4) +
         escaped(s.name) + "</text>\n";
}

inline std::string panel(const Chart& chart, double from) {
  using F = Frame;
  const double left = from + F::left, width = F::width - F::left - F::right, bottom = F::top + F::plot;
  std::string svg =
      at("<text x='%.1f' y='%.1f' font-weight='bold'>", left, F::top - 12) + escaped(chart.title) + "</text>\n";
  Range x, y;
  for (const Series& s : chart.series) {
    for (const auto& [a, b] : s.points) x.add(a), y.add(b);
    for (const auto& [low, high] : s.band) y.add(low), y.add(high);
  }
  if (chart.series.empty() || !(x.low <= x.high)) return svg;
  if (x.low == x.high) x = {x.low * 0.5, x.low * 2};
  if (chart.up_scale == Scale::linear)
    y = {y.low - 0.05 * (y.high - y.low) - 1e-9, y.high + 0.05 * (y.high - y.low) + 1e-9};
  else
    y = {std::pow(10, std::floor(std::log10(y.low))), std::pow(10, std::ceil(std::log10(y.high) + 1e-9))};
  const Axis across{chart.across_scale, x.low, x.high, left, left + width},
      up{chart.up_scale, y.low, y.high, bottom, F::top};
  for (const double tick : up.ticks())
    svg += at("<path d='M%.1f %.1fh%.1f' stroke='#ddd'/>", left, up(tick), width) +
           at("<text x='%.1f' y='%.1f' text-anchor='end'>", left - 6, up(tick) + 4) + up.label(tick) + "</text>\n";
  for (const double tick : across.ticks())
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#eee'/>", across(tick), F::top, F::plot) +
           at("<text x='%.1f' y='%.1f' text-anchor='middle'>", across(tick), bottom + 16) + across.label(tick) +
           "</text>\n";
  svg +=
      at("<path d='M%.1f %.1fV%.1fh%.1f' fill='none' stroke='#888'/>", left, F::top, bottom, width) +
      at("<text x='%.1f' y='%.1f' text-anchor='middle'>", left + width / 2, bottom + 34) + escaped(chart.across) +
      "</text>\n" +
      at("<text transform='translate(%.1f %.1f) rotate(-90)' text-anchor='middle'>", from + 14, F::top + F::plot / 2) +
      escaped(chart.up) + "</text>\n";
  for (const Mark& mark : chart.marks)
    svg += at("<path d='M%.1f %.1fv%.1f' stroke='#555' stroke-dasharray='2 3'/>", across(mark.x), F::top, F::plot) +
           at("<text x='%.1f' y='%.1f' fill='#333'>", across(mark.x) + 5, bottom - 8) + escaped(mark.words) +
           "</text>\n";
  const std::size_t rows = (chart.series.size() + 1) / 2;  // of the legend
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    svg += line(chart.series[i], across, up, left + (i < rows ? 0 : width / 2),
                bottom + F::below + F::row * double(i % rows));
  return svg;
}

}  // namespace detail

/// The charts side by side, with a line of words below if there are any.
inline std::string svg(const std::vector<Chart>& charts, const std::string& words) {
  using F = detail::Frame;
  double height = 0;
  std::string titles;
  for (const Chart& chart : charts) {
    height = std::max(height, F::height(chart));
    titles += (titles.empty() ? "" : "; ") + escaped(chart.title);
  }
  if (!words.empty()) height += 28;
  std::string out = detail::at("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f'",
                               F::width * double(charts.size()), height) +
                    " role='img' aria-label='" + titles +
                    "' font-family='sans-serif' font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n";
  for (std::size_t i = 0; i < charts.size(); ++i) out += detail::panel(charts[i], F::width * double(i));
  if (!words.empty())
    out += detail::at("<text x='20' y='%.0f' fill='#555'>", height - 10, 0) + escaped(words) + "</text>\n";
  return out + "</svg>\n";
}

}  // namespace drawing
