#pragma once
#include <rwkv/io/open_source.hpp>

#include "contender.hpp"
#include "length.hpp"
#include "measure.hpp"

namespace compare {

/// What the study asks for and a finished run's folder lacks, of the model that the run left there.
inline void measure_missing(const Job& job, const Contender& contender) {
  namespace fs = std::filesystem;
  const bool length = job.study.length > 0 && !fs::exists(job.length()),
             writing = job.study.write_to > 0 && job.writes() && !fs::exists(job.writing());
  if (!length && !writing) return;
  std::printf("%s seed %lu: measuring how it fares in long texts\n", job.entry.label.c_str(),
              static_cast<unsigned long>(job.seed));
  std::fflush(stdout);
  const auto model = contender.net->make(*contender.net, job.study.machine(), {});
  model->load(*rwkv::open_source(job.model()));
  if (length) measure_length(job, *model);
  if (writing) measure_writing(job, *model);
}

}  // namespace compare
