#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace howdah::repository {

/// A string as JSON has it. One that is not UTF-8 becomes {"hex": "…"}, so that every byte comes back.
nlohmann::json json_text(std::string_view text);
nlohmann::json json_time(base::Timestamp time);
std::string dump_json(const nlohmann::json& document);
/// The object in a document, or Failure "object NAME is damaged".
nlohmann::json parse_json(std::string_view document, const std::string& name);

/// Reads members of a JSON object by type. What is missing or of another type is Failure "object NAME is damaged: its KEY …"; the
/// `or_` forms give a default for a missing member.
class Fields {
public:
    Fields(const nlohmann::json& object, const std::string& name);

    bool has(const char* key) const { return object_->contains(key); }
    std::string text(const char* key) const { return text_of(member(key), key); }
    std::string text_or(const char* key, std::string otherwise = {}) const { return has(key) ? text(key) : otherwise; }
    std::uint64_t number(const char* key, std::uint64_t limit = UINT64_MAX) const;
    std::uint64_t number_or(const char* key, std::uint64_t otherwise, std::uint64_t limit = UINT64_MAX) const {
        return has(key) ? number(key, limit) : otherwise;
    }
    double real(const char* key) const;
    bool boolean(const char* key) const;
    base::Lsn lsn(const char* key) const;
    base::Timestamp time(const char* key) const;
    std::optional<base::Timestamp> time_if(const char* key) const;
    base::SystemIdentifier system(const char* key) const;
    base::Timeline timeline(const char* key) const { return {static_cast<std::uint32_t>(number(key, UINT32_MAX))}; }
    /// An array; empty when the member is missing.
    const nlohmann::json& array(const char* key) const;
    const nlohmann::json& object(const char* key) const;
    const std::string& name() const { return *name_; }
    /// An element or member value as text, with {"hex"} understood.
    std::string text_of(const nlohmann::json& value, const char* key) const;
    [[noreturn]] void fail(const char* key, std::string_view what) const;

private:
    const nlohmann::json& member(const char* key) const;
    const nlohmann::json* object_;
    const std::string* name_;
};

}  // namespace howdah::repository
