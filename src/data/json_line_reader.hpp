#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ballast::data {

/// Reads a JSON object in one line as its values pass by, none of which it keeps but the "weight".
/// What stands under `field`, at the top of the object, is for a derived class.
class JsonLineReader : public nlohmann::json::json_sax_t {
 public:
  bool key(std::string& name) override;
  bool string(std::string& value) override;
  bool number_integer(nlohmann::json::number_integer_t value) override;
  bool number_unsigned(nlohmann::json::number_unsigned_t value) override;
  bool number_float(double value, const std::string& text) override;
  bool null() override;
  bool boolean(bool value) override;
  bool binary(nlohmann::json::binary_t& value) override;
  bool start_object(std::size_t size) override;
  bool start_array(std::size_t size) override;
  bool end_object() override;
  bool end_array() override;
  /// Throws a data Error that names the byte.
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception& error) override;

 protected:
  static constexpr std::string_view kWeight = "weight";
  static constexpr std::string_view kList = "a list";

  /// `field` must outlive this.
  explicit JsonLineReader(const std::string& field) : field_{field} {}

  /// A value passes by that the derived class has not taken: "a text", "null", kList.
  virtual void see(std::string_view what) = 0;

  [[nodiscard]] const std::string& field() const { return field_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  /// Objects and lists around the value that passes by.
  [[nodiscard]] std::size_t depth() const { return depth_; }
  [[nodiscard]] bool at_field() const { return depth_ == 1 && key_ == field_; }
  /// Whether the line is an object, once all has passed by.
  [[nodiscard]] bool is_object() const { return is_object_; }
  /// 1 where the line has none; a data Error if it is no number of 0 or more.
  [[nodiscard]] float weight() const;

 private:
  static constexpr float kNoWeight = -1.0f;

  /// A value of no use; always true, which the parser takes as "go on".
  bool pass(std::string_view what, float weight = kNoWeight);

  const std::string& field_;
  std::size_t depth_ = 0;
  bool is_object_ = false;
  std::string key_;  ///< at the top of the object
  float weight_ = 1.0f;
};

}  // namespace ballast::data
