#include "data/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"
#include "data/dataset_names.hpp"
#include "data/reach.hpp"

namespace ballast::data {

namespace {

/// Shorter windows are worth advising where they reach this share of the tokens.
constexpr double kDecentShare = 0.9;

std::string advice_on_length(std::span<const std::uint64_t> segments, std::size_t seq_len) {
  const std::size_t shorter = shorter_windows(segments, seq_len, kDecentShare);
  if (shorter == 0) return "prepare it again, from more text or with --split tail";
  return fmt::format("a data.seq_len of {} reaches {:.1f}% of its tokens", shorter,
                     100.0 * reach_of(segments, shorter).share);
}

}  // namespace

std::string_view split_name(Split split) { return split == Split::train ? "train" : "validation"; }

Dataset::Dataset(const std::filesystem::path& path) : file_{path} {
  read_info();
  read_split(Split::train);
  read_split(Split::validation);
  require_size(kPieceBytes, info_.vocabulary);
  piece_bytes_ = file_.read_all<std::uint16_t>(kPieceBytes);
  if (info_.format_version == kUnhashedVersion) return;
  read_tables();
  check_header();
}

void Dataset::read_info() {
  if (!file_.has_attribute(kKind) || file_.text_attribute(kKind) != kDatasetKind) {
    throw data_error("'{}' is an HDF5 file, but not a token dataset: `ballast prepare` makes one",
                     path().string());
  }
  info_.format_version = file_.number_attribute(kFormatVersion);
  if (info_.format_version != kDatasetVersion && info_.format_version != kUnhashedVersion) {
    throw data_error(
        "'{}' is a dataset of format {}, this program reads formats {} and {}: prepare it anew",
        path().string(), info_.format_version, kUnhashedVersion, kDatasetVersion);
  }
  info_.tokenizer = file_.text_attribute(kTokenizerName);
  info_.tokenizer_hash = file_.text_attribute(kTokenizerHash);
  info_.vocabulary = file_.number_attribute(kVocabulary);
  info_.train_tokens = file_.number_attribute(attribute_of(Split::train, "tokens"));
  info_.validation_tokens = file_.number_attribute(attribute_of(Split::validation, "tokens"));
  info_.raw_bytes = file_.number_attribute(kRawBytes);
  info_.content_hash = file_.text_attribute(kContentHash);
  info_.split_rule = file_.text_attribute(kSplitRule);
  if (info_.format_version != kUnhashedVersion) {
    info_.weighted_tokens = file_.number_attribute(kWeightedTokens);
  }
  if (info_.vocabulary == 0 || info_.vocabulary > std::numeric_limits<std::int32_t>::max()) {
    throw data_error("'{}' states a vocabulary of {}", path().string(), info_.vocabulary);
  }
}

void Dataset::read_split(Split split) {
  const std::uint64_t tokens = token_count(split);
  require_size(part_of(split, "tokens"), tokens);
  const std::uint64_t largest = file_.number_attribute(attribute_of(split, "max_token"));
  if (tokens > 0 && largest >= info_.vocabulary) {
    throw data_error("'{}' holds token {} in '{}', not below its vocabulary of {}", path().string(),
                     largest, part_of(split, "tokens"), info_.vocabulary);
  }
  if (file_.contains(part_of(split, "weights"))) {
    require_size(part_of(split, "weights"), tokens);
    has_weights_ = true;
  }
  SplitData& data = split == Split::train ? train_ : validation_;
  data.segments = file_.read_all<std::uint64_t>(part_of(split, "segments"));
  data.documents = file_.read_all<std::uint64_t>(part_of(split, "documents"));
  const auto& bounds = data.segments;
  if (bounds.empty() || bounds.front() != 0 || bounds.back() != tokens ||
      std::ranges::adjacent_find(bounds, std::greater_equal{}) != bounds.end()) {
    throw data_error("'{}' of '{}' does not cut its {} tokens into segments",
                     part_of(split, "segments"), path().string(), tokens);
  }
  const auto& starts = data.documents;
  if (std::ranges::adjacent_find(starts, std::greater_equal{}) != starts.end() ||
      (!starts.empty() && starts.back() >= tokens)) {
    throw data_error("'{}' of '{}' does not ascend within its {} tokens",
                     part_of(split, "documents"), path().string(), tokens);
  }
}

template <class T>
void Dataset::read_verified(const std::string& column, std::uint64_t first,
                            std::span<T> out) const {
  const auto hashed = std::ranges::find(hashed_, column, &HashedColumn::name);
  if (hashed != hashed_.end() && !out.empty()) {
    const std::size_t last = hashed->table.block_of(first + out.size() - 1);
    for (auto block = hashed->table.block_of(first); block <= last; ++block) {
      verify_once(*hashed, block);
    }
  }
  file_.read<T>(column, first, out);
}

std::span<const std::uint64_t> Dataset::segments(Split split) const {
  return split_data(split).segments;
}

std::span<const std::uint64_t> Dataset::documents(Split split) const {
  return split_data(split).documents;
}

void Dataset::require_size(const std::string& dataset, std::uint64_t size) const {
  if (const std::size_t found = file_.size(dataset); found != size) {
    throw data_error("'{}' of '{}' has {} elements where {} are stated", dataset, path().string(),
                     found, size);
  }
}

const Dataset::SplitData& Dataset::split_data(Split split) const {
  return split == Split::train ? train_ : validation_;
}

std::uint64_t Dataset::token_count(Split split) const {
  return split == Split::train ? info_.train_tokens : info_.validation_tokens;
}

const std::vector<std::uint64_t>& Dataset::first_windows(Split split, std::size_t seq_len) const {
  const SplitData& data = split_data(split);
  if (seq_len == 0) throw usage_error("data.seq_len must be at least 1");
  if (data.seq_len == seq_len) return data.first_window;
  data.first_window.clear();
  data.first_window.reserve(data.segments.size());
  data.first_window.push_back(0);
  for (std::size_t i = 0; i + 1 < data.segments.size(); ++i) {
    const std::uint64_t labels = data.segments[i + 1] - data.segments[i] - 1;
    const std::uint64_t padding = split == Split::validation ? seq_len - 1 : 0;
    data.first_window.push_back(data.first_window.back() + (labels + padding) / seq_len);
  }
  data.seq_len = seq_len;
  return data.first_window;
}

std::size_t Dataset::windows(Split split, std::size_t seq_len) const {
  const std::size_t count = first_windows(split, seq_len).back();
  if (count > 0) return count;
  const auto& bounds = split_data(split).segments;
  std::uint64_t longest = 0;
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    longest = std::max(longest, bounds[i + 1] - bounds[i]);
  }
  throw data_error(
      "'{}' is shorter than one window: the longest {} segment has {} tokens, data.seq_len {} "
      "needs {}; {}",
      path().string(), split_name(split), longest, seq_len, seq_len + 1,
      advice_on_length(bounds, seq_len));
}

Dataset::Extent Dataset::extent(Split split, std::size_t seq_len, std::size_t window) const {
  const auto& first = first_windows(split, seq_len);
  if (window >= first.back()) {
    throw internal_error("window {} of {} was asked for", window, first.back());
  }
  const auto next = std::ranges::upper_bound(first, window);
  const auto segment = static_cast<std::size_t>(next - first.begin()) - 1;
  const auto& bounds = split_data(split).segments;
  const std::uint64_t start = bounds[segment] + (window - first[segment]) * seq_len;
  return {start, std::min<std::uint64_t>(seq_len, bounds[segment + 1] - start - 1)};
}

void Dataset::require_in_vocabulary(Split split, std::uint64_t first,
                                    std::span<const std::int32_t> tokens) const {
  const auto fits = [&](std::int32_t token) {
    return token >= 0 && static_cast<std::uint64_t>(token) < info_.vocabulary;
  };
  const auto bad = std::ranges::find_if_not(tokens, fits);
  if (bad == tokens.end()) return;
  throw data_error(
      "'{}' is damaged: token {} at position {} of '{}' is not below the vocabulary of {}",
      path().string(), *bad, first + static_cast<std::uint64_t>(bad - tokens.begin()),
      part_of(split, "tokens"), info_.vocabulary);
}

void Dataset::read_tokens(Split split, std::uint64_t first, std::span<std::int32_t> out) const {
  read_verified(part_of(split, "tokens"), first, out);
  require_in_vocabulary(split, first, out);
}

void Dataset::read_weights(Split split, std::uint64_t first, std::span<float> weights) const {
  read_verified(part_of(split, "weights"), first, weights);
  const auto sound = [](float weight) { return std::isfinite(weight) && weight >= 0; };
  const auto bad = std::ranges::find_if_not(weights, sound);
  if (bad == weights.end()) return;
  throw data_error("'{}' is damaged: weight {} at position {} of '{}'", path().string(), *bad,
                   first + static_cast<std::uint64_t>(bad - weights.begin()),
                   part_of(split, "weights"));
}

void Dataset::read_window(Split split, std::size_t seq_len, std::size_t window,
                          const WindowView& out) const {
  const auto [first, labels] = extent(split, seq_len, window);
  window_.resize(labels + 1);
  read_tokens(split, first, window_);

  std::ranges::fill(out.inputs, 0);
  std::ranges::fill(out.labels, kIgnore);
  std::ranges::fill(out.weights, 1.0f);
  std::copy_n(window_.begin(), labels, out.inputs.begin());
  std::copy_n(window_.begin() + 1, labels, out.labels.begin());
  if (has_weights_) read_weights(split, first + 1, out.weights.first(labels));
  const auto& starts = split_data(split).documents;
  auto next = std::ranges::upper_bound(starts, first);
  std::int32_t document = 0;
  for (std::size_t i = 0; i < seq_len; ++i) {
    for (; next != starts.end() && *next <= first + i && i < labels; ++next) ++document;
    out.segments[i] = document;
  }
}

std::vector<std::uint8_t> Dataset::tokenizer_model() const {
  return file_.read_all<std::uint8_t>(kTokenizerModel);
}

std::string Dataset::sources() const {
  const auto bytes = file_.read_all<std::uint8_t>(kSources);
  return {bytes.begin(), bytes.end()};
}

}  // namespace ballast::data
