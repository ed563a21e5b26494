#include "storage/h5/catalog.hpp"

#include "base/text.hpp"
#include "storage/h5/errors.hpp"
#include "storage/h5/group.hpp"

namespace ballast::storage::h5 {

namespace {

/// What all that is read whole may come to, beyond the size of the file.
constexpr std::uint64_t kWholeBytes = std::uint64_t{16} << 20;

}  // namespace

std::string Catalog::quoted_path() const { return fmt::format("'{}'", source_->path().string()); }

const StoredDataset& Catalog::get(const std::string& dataset) {
  const std::scoped_lock lock{mutex_};
  return entry(dataset).dataset;
}

void Catalog::count_whole(const std::string& name) {
  const std::scoped_lock lock{mutex_};
  Entry& found = entry(name);
  if (found.is_counted) return;
  const std::uint64_t bytes = found.dataset.bytes();
  if (bytes > source_->size() + kWholeBytes - whole_bytes_) {
    throw data_error("dataset '{}' of {} claims {} elements, too many for a file of {}", name,
                     quoted_path(), found.dataset.size(), human_bytes(source_->size()));
  }
  found.is_counted = true;
  whole_bytes_ += bytes;
}

Catalog::Entry& Catalog::entry(const std::string& name) {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second;
  const auto address = address_of(name);
  if (!address) throw data_error("{} has no dataset '{}'", quoted_path(), name);
  const auto where = [&] { return fmt::format("dataset '{}' of {}", name, quoted_path()); };
  return with_late_context(where, [&]() -> Entry& {
    return entries_.emplace(name, Entry{StoredDataset{*source_, *address}}).first->second;
  });
}

std::optional<std::uint64_t> Catalog::address_of(const std::string& object) const {
  std::optional<std::uint64_t> address;
  for (std::size_t begin = 0; begin <= object.size();) {
    const std::size_t end = std::min(object.find('/', begin), object.size());
    const std::string name = object.substr(begin, end - begin);
    const auto where = [&] {
      return fmt::format("cannot read '{}' of {}", object.substr(0, end), quoted_path());
    };
    address = with_late_context(where, [&] {
      return begin == 0 ? find_member(*source_, *root_, name)
                        : find_member(*source_, ObjectHeader{*source_, *address}, name);
    });
    if (!address) return {};
    begin = end + 1;
  }
  return address;
}

}  // namespace ballast::storage::h5
