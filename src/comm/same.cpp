#include "comm/same.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ballast::comm {

namespace {

constexpr std::size_t kMostNamed = 8;

std::string encode(const Facts& facts) {
  std::string text;
  for (const Fact& fact : facts) {
    for (const std::string* part : {&fact.name, &fact.value, &fact.where}) text += *part + '\0';
  }
  return text;
}

Facts decode(std::string_view text) {
  const auto next = [&] {
    const std::size_t end = text.find('\0');
    std::string part{text.substr(0, end)};
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
  };
  Facts facts;
  while (!text.empty()) {
    Fact& fact = facts.emplace_back();
    fact.name = next();
    fact.value = next();
    fact.where = next();
  }
  return facts;
}

const Fact* find(const Facts& facts, const std::string& name) {
  const auto found = std::ranges::find(facts, name, &Fact::name);
  return found == facts.end() ? nullptr : &*found;
}

std::string show(const Fact* fact) {
  if (fact == nullptr || fact->value.empty()) return "nothing";
  return fact->where.empty() ? fact->value : fmt::format("{} in {}", fact->value, fact->where);
}

}  // namespace

std::string differences(const Facts& root, const std::string& root_label, const Facts& own,
                        const std::string& own_label) {
  Facts all = root;
  for (const Fact& fact : own) {
    if (find(root, fact.name) == nullptr) all.push_back(fact);
  }
  std::string text;
  std::size_t count = 0;
  for (const Fact& fact : all) {
    const Fact* const there = find(root, fact.name);
    const Fact* const here = find(own, fact.name);
    if (there != nullptr && here != nullptr && there->value == here->value) continue;
    if (++count > kMostNamed) continue;
    text += fmt::format("{}{}: {} has {}, {} has {}", count == 1 ? "" : "; ", fact.name, root_label,
                        show(there), own_label, show(here));
  }
  if (count > kMostNamed) text += fmt::format("; and {} more differ", count - kMostNamed);
  return text;
}

void require_same(Communicator& world, const Facts& own, ExitCode code, std::string_view advice) {
  const Facts root = decode(world.broadcast_text(encode(own), 0, {"what rank 0 was given"}));
  const auto reports =
      world.gather_texts(differences(root, world.label(0), own, world.label(world.rank())),
                         {"what ranks were given otherwise"});
  const auto first = std::ranges::find_if(reports, [](const auto& text) { return !text.empty(); });
  if (first == reports.end()) return;
  const auto others =
      std::count_if(first + 1, reports.end(), [](const auto& text) { return !text.empty(); });
  const std::string more =
      others == 0 ? "" : fmt::format(" ({} more rank(s) differ from rank 0, too)", others);
  throw Error{code, fmt::format("{}{}: {}", *first, more, advice)};
}

}  // namespace ballast::comm
