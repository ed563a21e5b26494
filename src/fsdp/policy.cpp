#include "fsdp/policy.hpp"

#include <charconv>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::fsdp {

std::string_view name_of(Sharding sharding) {
  switch (sharding) {
    case Sharding::full:
      return "full";
    case Sharding::grad_op:
      return "grad_op";
    case Sharding::hybrid:
      return "hybrid";
    case Sharding::none:
      return "none";
  }
  return "?";
}

std::string_view name_of(Backend backend) {
  switch (backend) {
    case Backend::automatic:
      return "auto";
    case Backend::region:
      return "region";
    case Backend::mpi:
      return "mpi";
  }
  return "?";
}

Reshard Reshard::parse(const std::string& text) {
  if (text == "true") return always();
  if (text == "false") return never();
  std::size_t ranks = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  if (error != std::errc{} || end != text.data() + text.size() || ranks < 2) {
    throw usage_error(
        "parallel.reshard_after_forward = '{}': expected true, false or a number of ranks above 1",
        excerpt(text));
  }
  return within(ranks);
}

std::string Reshard::name() const {
  if (ranks_ == 0) return "true";
  return keeps_all() ? "false" : fmt::format("{}", ranks_);
}

}  // namespace ballast::fsdp
