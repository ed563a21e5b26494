#include "cli/assignment.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::cli {

namespace {

bool from_file(const Assignment& given) { return !given.where.empty(); }

/// "train.ini:3: optim.lr", or "--optim.lr".
std::string title(const Assignment& given) {
  const std::string name = excerpt(given.name);
  return from_file(given) ? fmt::format("{}: {}", given.where, name) : "--" + name;
}

Error unknown(const Assignment& given, std::span<const Option> options) {
  if (given.name.empty()) {
    return usage_error("unexpected argument '{}'; --help shows what the command takes",
                       excerpt(given.value));
  }
  std::vector<std::string> names;
  for (const auto& option : options) names.push_back(option.name);
  const std::string near = nearest(given.name, names);
  const std::string dashes = from_file(given) ? "" : "--";
  const std::string hint = near.empty() ? std::string{"--help lists what there is"}
                                        : fmt::format("did you mean {}{}?", dashes, near);
  const std::string name = excerpt(given.name);
  return from_file(given) ? usage_error("{}: unknown key {}; {}", given.where, name, hint)
                          : usage_error("unknown option --{}; {}", name, hint);
}

}  // namespace

void assign(std::span<const Assignment> assignments, std::span<const Option> options) {
  std::map<std::string, const Assignment*> seen;
  for (const auto& given : assignments) {
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option& o) { return o.name == given.name; });
    if (option == options.end()) throw unknown(given, options);
    const auto [first, is_new] = seen.emplace(given.name, &given);
    if (!is_new && option->arity != Arity::many) {
      const std::string& before = first->second->where;
      throw usage_error("{} is given twice{}; remove one", title(given),
                        before.empty() ? "" : ", first at " + before);
    }
    if (!with_context(title(given), [&] { return option->set(given.value); })) {
      throw usage_error("{} cannot be '{}'; it takes {}", title(given), excerpt(given.value),
                        option->takes);
    }
  }
}

void require(std::span<const Option> options) {
  for (const auto& option : options) {
    if (option.presence == Presence::required && !option.get()) {
      throw usage_error("--{} {} is missing ({})", option.name, option.value_name, option.help);
    }
  }
}

}  // namespace ballast::cli
