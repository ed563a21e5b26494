#include "data/dataset_writer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/checked_cast.hpp"
#include "base/error.hpp"
#include "data/block_table.hpp"
#include "data/dataset_header.hpp"
#include "data/dataset_names.hpp"

namespace ballast::data {

namespace {

constexpr storage::H5Layout kLayout{.chunk = kChunk, .deflate = 3};

void add(Hasher& hasher, const Hash128& hash) {
  const std::string hex = hash.hex();
  hasher.update(std::as_bytes(std::span{hex}));
}

}  // namespace

template <class T>
void Column<T>::push(T value) {
  if (pending_.empty()) pending_.reserve(kChunk);
  pending_.push_back(value);
  ++size_;
  if (pending_.size() == kChunk) flush();
}

template <class T>
void Column<T>::flush() {
  hasher_.update(std::as_bytes(std::span{pending_}));
  file_->append<T>(name_, pending_);
  pending_.clear();
}

DatasetWriter::SplitColumns::SplitColumns(storage::H5Writer& file, Split split,
                                          std::uint64_t vocabulary, LossWeights loss_weights)
    : tokens{file, part_of(split, "tokens")},
      segments{file, part_of(split, "segments")},
      documents{file, part_of(split, "documents")} {
  if (vocabulary <= 65536) {
    file.create_growing<std::uint16_t>(part_of(split, "tokens"), kLayout);
  } else {
    file.create_growing<std::uint32_t>(part_of(split, "tokens"), kLayout);
  }
  file.create_growing<std::uint64_t>(part_of(split, "segments"), kLayout);
  file.create_growing<std::uint64_t>(part_of(split, "documents"), kLayout);
  if (loss_weights == LossWeights::stored) {
    weights.emplace(file, part_of(split, "weights"));
    file.create_growing<float>(part_of(split, "weights"), kLayout);
  }
  segments.push(0);
}

void DatasetWriter::SplitColumns::end_segment() {
  if (tokens.size() == segment_start) return;
  segments.push(tokens.size());
  segment_start = tokens.size();
}

void DatasetWriter::SplitColumns::flush() {
  tokens.flush();
  segments.flush();
  documents.flush();
  if (weights) weights->flush();
}

void DatasetWriter::SplitColumns::add_to(Hasher& hasher) const {
  add(hasher, tokens.hash());
  add(hasher, segments.hash());
  add(hasher, documents.hash());
  if (weights) add(hasher, weights->hash());
}

DatasetWriter::DatasetWriter(const std::filesystem::path& path, const Tokenizer& tokenizer,
                             LossWeights weights)
    : file_{path},
      tokenizer_{tokenizer},
      splits_{SplitColumns{file_, Split::train, tokenizer.vocabulary(), weights},
              SplitColumns{file_, Split::validation, tokenizer.vocabulary(), weights}} {
  write_tokenizer();
}

void DatasetWriter::write_tokenizer() {
  std::vector<std::uint16_t> piece_bytes(tokenizer_.vocabulary());
  for (std::size_t id = 0; id < piece_bytes.size(); ++id) {
    piece_bytes[id] =
        checked_cast<std::uint16_t>(tokenizer_.piece_bytes(checked_cast<std::int32_t>(id)));
  }
  piece_bytes_hash_ = hash_of<std::uint16_t>(piece_bytes);
  file_.write<std::uint16_t>(kPieceBytes, piece_bytes, kLayout);
  file_.write<std::uint8_t>(kTokenizerModel, tokenizer_.model(), kLayout);
}

void DatasetWriter::begin_segment(Split split) { columns(split).end_segment(); }

void DatasetWriter::begin_document(Split split) {
  SplitColumns& target = columns(split);
  target.documents.push(target.tokens.size());
}

void DatasetWriter::append(Split split, std::span<const std::int32_t> tokens, float weight) {
  SplitColumns& target = columns(split);
  for (const std::int32_t token : tokens) {
    const auto value = checked_cast<std::uint32_t>(token);
    target.max_token = std::max<std::uint64_t>(target.max_token, value);
    target.tokens.push(value);
    if (target.weights) target.weights->push(weight);
  }
  if (weight > 0) target.weighted_tokens += tokens.size();
}

DatasetInfo DatasetWriter::finish(std::string_view split_rule,
                                  std::span<const SourceRecord> sources) {
  for (SplitColumns& split : splits_) {
    split.end_segment();
    split.flush();
    if (split.max_token >= tokenizer_.vocabulary()) {
      throw internal_error("token {} is not below the vocabulary of {}", split.max_token,
                           tokenizer_.vocabulary());
    }
  }
  DatasetInfo info = describe(split_rule, sources);
  write_attributes(info);
  write_sources(sources);
  write_header();
  file_.close();
  return info;
}

DatasetInfo DatasetWriter::describe(std::string_view split_rule,
                                    std::span<const SourceRecord> sources) const {
  DatasetInfo info;
  info.format_version = kDatasetVersion;
  info.tokenizer = tokenizer_.name();
  info.tokenizer_hash = tokenizer_hash(tokenizer_);
  info.vocabulary = tokenizer_.vocabulary();
  info.train_tokens = columns(Split::train).tokens.size();
  info.validation_tokens = columns(Split::validation).tokens.size();
  for (const SourceRecord& source : sources) info.raw_bytes += source.bytes;
  info.content_hash = content_hash(info.tokenizer_hash);
  info.split_rule = split_rule;
  info.weighted_tokens = columns(Split::train).weighted_tokens;
  return info;
}

std::string DatasetWriter::content_hash(const std::string& tokenizer_hash) const {
  Hasher hasher;
  hasher.update(std::as_bytes(std::span{tokenizer_hash}));
  for (const SplitColumns& split : splits_) split.add_to(hasher);
  return hasher.digest().hex();
}

void DatasetWriter::write_attributes(const DatasetInfo& info) {
  file_.set_attribute(kKind, kDatasetKind);
  file_.set_attribute(kFormatVersion, info.format_version);
  file_.set_attribute(kTokenizerName, info.tokenizer);
  file_.set_attribute(kTokenizerHash, info.tokenizer_hash);
  file_.set_attribute(kVocabulary, info.vocabulary);
  file_.set_attribute(kRawBytes, info.raw_bytes);
  file_.set_attribute(kContentHash, info.content_hash);
  file_.set_attribute(kSplitRule, info.split_rule);
  file_.set_attribute(kWeightedTokens, *info.weighted_tokens);
  for (const Split split : {Split::train, Split::validation}) {
    file_.set_attribute(attribute_of(split, "tokens"), columns(split).tokens.size());
    file_.set_attribute(attribute_of(split, "max_token"), columns(split).max_token);
  }
}

/// Hashes what was stored, read back, and says so in the header.
void DatasetWriter::write_header() {
  file_.flush();
  const storage::H5Reader written{file_.path()};
  std::vector<HeaderPart> parts;
  for (const Split split : {Split::train, Split::validation}) {
    for (const char* column : {"tokens", "weights"}) {
      const std::string name = part_of(split, column);
      if (!written.contains(name)) continue;
      const BlockTable table = BlockTable::compute(written, name);
      table.write(file_);
      parts.push_back({name, table.hash()});
    }
  }
  for (const Split split : {Split::train, Split::validation}) {
    parts.push_back({part_of(split, "segments"), columns(split).segments.hash()});
    parts.push_back({part_of(split, "documents"), columns(split).documents.hash()});
  }
  parts.push_back({kPieceBytes, piece_bytes_hash_});
  parts.push_back({kTokenizerModel, hash_of<std::uint8_t>(tokenizer_.model())});
  const std::string text = describe_header(written, parts);
  file_.write<std::uint8_t>(kHeader, std::vector<std::uint8_t>{text.begin(), text.end()}, {});
}

void DatasetWriter::write_sources(std::span<const SourceRecord> sources) {
  using nlohmann::json;
  std::string lines;
  for (const SourceRecord& source : sources) {
    const json line{
        {"name", source.name}, {"bytes", source.bytes}, {"xxh3_128", source.hash.hex()}};
    // A file's name need not be UTF-8.
    lines += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }
  const std::vector<std::uint8_t> bytes{lines.begin(), lines.end()};
  file_.write<std::uint8_t>(kSources, bytes, kLayout);
}

}  // namespace ballast::data
