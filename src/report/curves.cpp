#include "report/curves.hpp"

#include <array>

#include "storage/allowance.hpp"

namespace ballast::report {

namespace {

constexpr std::array kKeys{"loss",       "val_loss",      "val_bits_per_byte", "grad_norm",
                           "lr",         "tokens_per_s",  "mem_peak_mib",      "mfu",
                           "loss_scale", "comm_exposed_s"};

}  // namespace

Curves Curves::read(const std::filesystem::path& file) {
  Curves curves;
  storage::Allowance allowance{file};
  std::size_t left_out = 0;
  curves.unreadable = storage::read_log(file, [&](std::uint64_t step, const storage::Json& object) {
    if (!allowance.take(kKeys.size() * Series::kPointBytes)) {
      ++left_out;
      return;
    }
    for (const char* key : kKeys) {
      if (object.contains(key)) curves.series[key].add(step, storage::number_at(object, key));
    }
    curves.last = object;
  });
  curves.unreadable += left_out;
  return curves;
}

storage::Json Curves::to_json() const {
  storage::Json all = storage::Json::object();
  for (const auto& [key, points] : series) all[key] = report::to_json(points);
  return all;
}

}  // namespace ballast::report
