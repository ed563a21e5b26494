#include "data/content_pass.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace ballast::data {

namespace {

constexpr std::uint64_t kPiece = std::uint64_t{1} << 18;  ///< values: 1 MiB

std::size_t pieces_in(std::uint64_t elements) { return (elements + kPiece - 1) / kPiece; }

void add(Hasher& hasher, const Hash128& hash) {
  const std::string hex = hash.hex();
  hasher.update(std::as_bytes(std::span{hex}));
}

}  // namespace

ContentPass::ContentPass(const Dataset& dataset) : dataset_{&dataset} {
  for (const Split split : {Split::train, Split::validation}) {
    const std::uint64_t elements = dataset.token_count(split);
    runs_.push_back({.split = split, .elements = elements});
    if (dataset.has_weights()) {
      runs_.push_back({.split = split, .is_weights = true, .elements = elements});
    }
  }
}

std::size_t ContentPass::pieces() const {
  std::size_t count = 0;
  for (const Run& run : runs_) count += pieces_in(run.elements);
  return count;
}

ContentPass::Piece ContentPass::locate(std::size_t piece) const {
  for (std::size_t run = 0; run < runs_.size(); ++run) {
    const std::size_t own = pieces_in(runs_[run].elements);
    if (piece < own) {
      const std::uint64_t first = piece * kPiece;
      return {run, first, std::min(kPiece, runs_[run].elements - first)};
    }
    piece -= own;
  }
  throw internal_error("piece {} beyond the last was asked for", piece);
}

std::span<const std::byte> ContentPass::read(const Piece& piece) {
  const Run& run = runs_[piece.run];
  if (run.is_weights) {
    weights_.resize(piece.count);
    dataset_->read_weights(run.split, piece.first, weights_);
    return std::as_bytes(std::span{weights_});
  }
  tokens_.resize(piece.count);
  dataset_->read_tokens(run.split, piece.first, tokens_);
  return std::as_bytes(std::span{tokens_});
}

void ContentPass::check(std::size_t piece) { (void)read(locate(piece)); }

void ContentPass::take_next() {
  const Piece piece = locate(next_++);
  runs_[piece.run].hasher.update(read(piece));
}

void ContentPass::require_same_content() const {
  Hasher all;
  all.update(std::as_bytes(std::span{dataset_->info().tokenizer_hash}));
  for (std::size_t run = 0; run < runs_.size(); ++run) {
    const Split split = runs_[run].split;
    add(all, runs_[run].hasher.digest());
    if (runs_[run].is_weights) continue;
    add(all, hash_of(dataset_->segments(split)));
    add(all, hash_of(dataset_->documents(split)));
  }
  const std::string found = all.digest().hex();
  if (found == dataset_->info().content_hash) return;
  throw data_error(
      "'{}' is damaged or was changed since it was prepared: its tokens, segments, documents and "
      "weights hash to {}, its content_hash is {}; copy the file again, or prepare it anew",
      dataset_->path().string(), found, dataset_->info().content_hash);
}

}  // namespace ballast::data
