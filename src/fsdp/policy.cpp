#include "fsdp/policy.hpp"

#include <charconv>
#include <fmt/format.h>

namespace ballast::fsdp {

std::optional<Reshard> Reshard::parse(const std::string& text) {
  if (text == "true") return always();
  if (text == "false") return never();
  std::size_t ranks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number && ranks > 1 ? std::optional{within(ranks)} : std::nullopt;
}

std::string Reshard::name() const {
  if (ranks_ == 0) return "true";
  return keeps_all() ? "false" : fmt::format("{}", ranks_);
}

}  // namespace ballast::fsdp
