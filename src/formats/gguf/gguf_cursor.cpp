#include "formats/gguf/gguf_cursor.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "formats/checked.hpp"

namespace ballast::formats {

namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{1} << 16;

/// What `read` makes of the alternative at this place of a variant; nothing where it has no such
/// place. read: (std::type_identity<Alternative>) -> Variant.
template <class Variant, class Read>
std::optional<Variant> alternative_at(std::uint32_t place, Read&& read) {
  std::optional<Variant> found;
  const auto try_place = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
    if (place == I) found = read(std::type_identity<std::variant_alternative_t<I, Variant>>{});
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (try_place(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>{});
  return found;
}

}  // namespace

void GgufCursor::require(std::uint64_t count, std::uint64_t bytes_each,
                         std::string_view what) const {
  const std::uint64_t end = std::min(source_->size(), kMostGgufHeaderBytes);
  const auto bytes = checked_product(count, bytes_each);
  if (bytes && at_ <= end && *bytes <= end - at_) return;
  if (source_->size() > kMostGgufHeaderBytes) {
    throw data_error("byte {}: {} ({}) would end beyond the first {} bytes, where data must begin",
                     at_, what, count, kMostGgufHeaderBytes);
  }
  throw data_error("byte {}: {} ({}) would end behind the file, which has {} bytes", at_, what,
                   count, source_->size());
}

const std::uint8_t* GgufCursor::take(std::size_t bytes) {
  require(bytes, 1, "bytes");
  if (at_ + bytes > window_begin_ + window_.size()) {
    const std::uint64_t left = source_->size() - at_;
    window_.resize(std::min(left, std::max<std::uint64_t>(kWindowBytes, bytes)));
    source_->read(at_, window_);
    window_begin_ = at_;
  }
  const std::uint8_t* const taken = window_.data() + (at_ - window_begin_);
  at_ += bytes;
  return taken;
}

std::string GgufCursor::text(std::uint64_t most, std::string_view what) {
  const std::uint64_t begin = at_;
  const auto size = number<std::uint64_t>();
  if (size > most) {
    throw data_error("byte {}: {} of {} bytes; at most {} are read", begin, what, size, most);
  }
  require(size, 1, what);
  const auto* const bytes = take(size);
  return {reinterpret_cast<const char*>(bytes), size};
}

template <class Element>
Element GgufCursor::element() {
  if constexpr (std::is_same_v<Element, std::string>) {
    return text(kMostGgufHeaderBytes, "a string");
  } else if constexpr (std::is_same_v<Element, bool>) {
    const std::uint64_t begin = at_;
    const auto byte = number<std::uint8_t>();
    if (byte > 1) throw data_error("byte {}: {} is neither true (1) nor false (0)", begin, byte);
    return byte == 1;
  } else {
    return number<Element>();
  }
}

template <class Element>
GgufArray GgufCursor::array_of(std::uint64_t count) {
  constexpr bool kIsText = std::is_same_v<Element, std::string>;
  require(count, kIsText ? sizeof(std::uint64_t) : sizeof(Element), "elements of a list");
  std::vector<Element> elements;
  elements.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) elements.push_back(element<Element>());
  return elements;
}

GgufArray GgufCursor::array() {
  const std::uint64_t begin = at_;
  const auto type = number<std::uint32_t>();
  const auto count = number<std::uint64_t>();
  auto found = alternative_at<GgufArray>(type, [&]<class List>(std::type_identity<List>) {
    if constexpr (std::is_same_v<List, std::monostate>) {
      return GgufArray{std::monostate{}};
    } else {
      return array_of<typename List::value_type>(count);
    }
  });
  if (found && !std::holds_alternative<std::monostate>(*found)) return std::move(*found);
  throw data_error("byte {}: the elements of a list are of type {}, which lists do not have", begin,
                   type);
}

GgufValue GgufCursor::value() {
  const std::uint64_t begin = at_;
  const auto type = number<std::uint32_t>();
  auto found = alternative_at<GgufValue>(type, [&]<class One>(std::type_identity<One>) {
    if constexpr (std::is_same_v<One, GgufArray>) {
      return GgufValue{array()};
    } else {
      return GgufValue{element<One>()};
    }
  });
  if (found) return std::move(*found);
  throw data_error("byte {}: a value is of type {}, which the format does not have", begin, type);
}

}  // namespace ballast::formats
