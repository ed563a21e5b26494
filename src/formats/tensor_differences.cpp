#include "formats/tensor_differences.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace ballast::formats {

namespace {

constexpr std::size_t kShown = 5;

/// The first few of them, and how many there are besides. Names of files may hold anything.
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : std::span{names}.first(std::min(kShown, names.size()))) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", excerpt(name, 3 * kExcerptBytes));
  }
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace

void TensorDifferences::compare(const std::string& name, std::span<const std::uint64_t> shape,
                                std::span<const std::size_t> wanted) {
  if (std::ranges::equal(shape, wanted)) return;
  shaped_.push_back(fmt::format("{} [{}] where {} says [{}]", name, fmt::join(shape, ", "),
                                authority_, fmt::join(wanted, ", ")));
}

std::string TensorDifferences::text() const {
  std::string all;
  const auto add = [&](std::string_view what, const std::vector<std::string>& names) {
    if (!names.empty()) all += fmt::format("\n  {} ({}): {}", what, names.size(), some_of(names));
  };
  add("missing", missing_);
  add("not of this model", surplus_);
  add("of another shape", shaped_);
  return all;
}

}  // namespace ballast::formats
