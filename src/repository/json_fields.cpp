#include "repository/json_fields.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

#include "base/file.hpp"
#include "repository/crypto.hpp"
#include "repository/damage.hpp"

namespace howdah::repository {

using nlohmann::json;

json json_text(std::string_view text) {
    json value = text;
    try {
        static_cast<void>(value.dump());
        return value;
    } catch (const json::type_error&) {
        return {{"hex", crypto::to_hex(base::as_bytes(text))}};
    }
}

json json_time(base::Timestamp time) { return base::text(time); }

std::string dump_json(const json& document) { return document.dump(); }

json parse_json(std::string_view document, const std::string& name) {
    json parsed = json::parse(document, nullptr, false);
    if (!parsed.is_object()) throw_damaged(name, "its document is not a JSON object");
    return parsed;
}

Fields::Fields(const json& object, const std::string& name) : object_(&object), name_(&name) {
    if (!object.is_object()) throw_damaged(name, "a part of its document is not a JSON object");
}

void Fields::fail(const char* key, std::string_view what) const { throw_damaged(*name_, fmt::format("its {} {}", key, what)); }

const json& Fields::member(const char* key) const {
    const auto found = object_->find(key);
    if (found == object_->end()) fail(key, "is missing");
    return *found;
}

std::string Fields::text_of(const json& value, const char* key) const {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_object() || !value.contains("hex") || !value["hex"].is_string()) fail(key, "is not a string");
    const auto& hex = value["hex"].get_ref<const std::string&>();
    std::string bytes(hex.size() / 2, '\0');
    if (!crypto::from_hex(hex, std::as_writable_bytes(std::span(bytes)))) fail(key, "is not a string");
    return bytes;
}

std::uint64_t Fields::number(const char* key, std::uint64_t limit) const {
    const json& value = member(key);
    if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0)) fail(key, "is not a whole number");
    const auto number = value.get<std::uint64_t>();
    if (number > limit) fail(key, fmt::format("is too large: {}", number));
    return number;
}

double Fields::real(const char* key) const {
    const json& value = member(key);
    if (!value.is_number() || !std::isfinite(value.get<double>())) fail(key, "is not a number");
    return value.get<double>();
}

bool Fields::boolean(const char* key) const {
    const json& value = member(key);
    if (!value.is_boolean()) fail(key, "is not true or false");
    return value.get<bool>();
}

base::Lsn Fields::lsn(const char* key) const {
    const auto lsn = base::parse_lsn(text(key));
    if (!lsn) fail(key, "is not an LSN");
    return *lsn;
}

base::Timestamp Fields::time(const char* key) const {
    const auto time = base::parse_timestamp(text(key));
    if (!time) fail(key, "is not a time");
    return *time;
}

std::optional<base::Timestamp> Fields::time_if(const char* key) const {
    if (!has(key)) return std::nullopt;
    return time(key);
}

base::SystemIdentifier Fields::system(const char* key) const {
    const std::string digits = text(key);
    base::SystemIdentifier system;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), system.value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) fail(key, "is not a system identifier");
    return system;
}

const json& Fields::array(const char* key) const {
    static const json none = json::array();
    const auto found = object_->find(key);
    if (found == object_->end()) return none;
    if (!found->is_array()) fail(key, "is not an array");
    return *found;
}

const json& Fields::object(const char* key) const {
    const json& value = member(key);
    if (!value.is_object()) fail(key, "is not an object");
    return value;
}

}  // namespace howdah::repository
