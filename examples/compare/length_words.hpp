#pragma once
#include "length_table.hpp"

namespace compare {

/// What drawings and tables show.
inline std::string long_text_words(const Results& r) {
  std::string words;
  if (const auto order = measured_in_length(r); !order.empty())
    words = "Loss: mean over " + count(double(order[0]->lengths[0].size())) + " windows of the validation text, each " +
            "read from its first character on, and the seeds; bands and errors are standard errors over the windows. ";
  if (!measured_in_writing(r).empty())
    words += "Time: of the " + std::to_string(window / 2) + " characters before a position, drawn as medians. ";
  return words + "RWKV-4 to 7 carry their state on. The others begin anew with half of their window of " +
         std::to_string(window) + " each time that it is full, in reading as in writing.";
}

/// What models make of more characters than they were trained on at once, and which is the best there.
inline std::vector<std::string> length_conclusions(const Results& r) {
  std::vector<std::string> all;
  const auto parts = stretches(r.study.length);
  const auto order = measured_in_length(r);
  const auto place = [&](std::size_t part) {
    return "positions " + count(double(parts[part].first)) + " to " + count(double(parts[part].last));
  };
  const auto error = [](const Spread& d) {
    if (d.n < 2) return std::string(" (one window: the error is not known)");
    return " (standard error " + digits(d.error(), 4) + ", " + std::to_string(d.n) + " windows" +
           (std::abs(d.mean) > 2 * d.error() ? ")" : ": not beyond chance)");
  };
  std::size_t within = 0;  // stretches that lie within what is trained on at once
  while (within < parts.size() && parts[within].last < r.study.context) ++within;
  if (order.empty() || within == 0 || within == parts.size()) return all;
  const std::size_t inside = within - 1, far = parts.size() - 1;
  for (const ModelResult* m : order) {
    const Spread d = loss_difference(*m, far, *m, inside);
    all.push_back(m->entry.label + ", trained on " + count(double(r.study.context)) + " characters at once, has " +
                  digits(loss_in(*m, inside).mean, 4) + " nats per character at " + place(inside) + ", and " +
                  digits(std::abs(d.mean), 4) + (d.mean < 0 ? " less" : " more") + " at " + place(far) + error(d) +
                  ".");
    if (m != order[0]) {
      const Spread lead = loss_difference(*m, far, *order[0], far);
      all.push_back("There " + order[0]->entry.label + (lead.mean < 0 ? " is behind " : " leads ") + m->entry.label +
                    " by " + digits(std::abs(lead.mean), 4) + error(lead) + ".");
    }
  }
  return all;
}

}  // namespace compare
