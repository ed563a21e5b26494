#include "data/bpe/around_text.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace ballast::data {

namespace {

class Reader {
 public:
  explicit Reader(std::size_t vocabulary) : vocabulary_{vocabulary} {}

  void add(const Json& value) {
    const JsonFields fields{value, "post_processor"};
    const std::string type = fields.text("type");
    if (type == "ByteLevel") {
      // About offsets alone: it changes no token.
      fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    } else if (type == "TemplateProcessing") {
      add_template(fields);
    } else {
      throw data_error(
          "its post_processor of type '{}' is not known; known are null, ByteLevel, "
          "TemplateProcessing of special tokens around a text, and a Sequence of them",
          excerpt(type));
    }
  }
  [[nodiscard]] AroundText take() { return std::move(around_); }

 private:
  void add_template(const JsonFields& fields) {
    fields.allow({"type", "single", "pair", "special_tokens"});
    if (has_template_) throw data_error("its post_processor has two of type TemplateProcessing");
    has_template_ = true;
    const JsonFields specials = fields.object("special_tokens");
    bool text_seen = false;
    for (const Json& value : fields.list("single")) {
      const JsonFields part{value, "post_processor.single"};
      if (part.has("Sequence")) {
        part.allow({"Sequence"});
        if (text_seen || part.object("Sequence").text("id") != "A") {
          throw data_error("post_processor.single is not special tokens around one text");
        }
        text_seen = true;
        continue;
      }
      part.allow({"SpecialToken"});
      const std::string name = part.object("SpecialToken").text("id");
      append_ids(specials.object(name), text_seen ? around_.behind : around_.before);
    }
    if (!text_seen) throw data_error("post_processor.single has no place for a text");
  }

  void append_ids(const JsonFields& special, std::vector<std::int32_t>& ids) const {
    for (const Json& value : special.list("ids")) {
      const std::uint64_t id = whole_number(value, special.name_of("ids"));
      if (id >= vocabulary_) {
        throw data_error("{} has the id {}, beyond the vocabulary of {}", special.name_of("ids"),
                         id, vocabulary_);
      }
      ids.push_back(static_cast<std::int32_t>(id));
    }
  }

  std::size_t vocabulary_;
  bool has_template_ = false;
  AroundText around_;
};

}  // namespace

AroundText read_around_text(const JsonFields& document, std::size_t vocabulary) {
  if (document.is_null("post_processor")) return {};
  Reader reader{vocabulary};
  const JsonFields fields = document.object("post_processor");
  if (fields.text("type") == "Sequence") {
    fields.allow({"type", "processors"});
    for (const Json& step : fields.list("processors")) reader.add(step);
  } else {
    reader.add(fields.all());
  }
  return reader.take();
}

}  // namespace ballast::data
