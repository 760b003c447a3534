#include "archive/setup_record.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <span>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "repository/crypto.hpp"
#include "repository/json_fields.hpp"

namespace howdah::archive {

using nlohmann::json;
using repository::json_text;

namespace {

/// A value as json_text() writes it. Of another type: json::exception.
std::string text_of(const json& value) {
    if (!value.is_object()) return value.get<std::string>();
    const auto hex = value.at("hex").get<std::string>();
    std::string bytes(hex.size() / 2, '\0');
    if (!repository::crypto::from_hex(hex, std::as_writable_bytes(std::span(bytes))))
        throw json::other_error::create(501, "a value is no hex", &value);
    return bytes;
}

}  // namespace

std::filesystem::path setup_record_path(const std::filesystem::path& state_directory, const std::string& cluster) {
    return state_directory / "wal-setup" / (cluster + ".json");
}

std::optional<SetupRecord> read_setup_record(const std::filesystem::path& path) {
    const auto text = base::read_file_if_exists(path);
    if (!text) return std::nullopt;
    try {
        const json document = json::parse(*text);
        SetupRecord record;
        record.system.value = document.at("system_identifier").get<std::uint64_t>();
        for (const auto& [name, value] : document.at("settings").items()) {
            RecordedSetting& setting = record.settings[name];
            setting.in_force = text_of(value.at("in_force"));
            if (!value.at("written").is_null()) setting.written = text_of(value.at("written"));
            setting.given_reset = value.at("given").is_null();
            if (!setting.given_reset) setting.given = text_of(value.at("given"));
        }
        return record;
    } catch (const json::exception& error) {
        throw base::Failure(base::FailureKind::operation, fmt::format("cannot understand {}: {}", path.string(), error.what()),
                            "set archive_mode, archive_command and archive_timeout by hand, then remove that file");
    }
}

void write_setup_record(const std::filesystem::path& path, const SetupRecord& record) {
    json settings = json::object();
    for (const auto& [name, setting] : record.settings)
        settings[name] = {{"in_force", json_text(setting.in_force)},
                          {"written", setting.written ? json_text(*setting.written) : json()},
                          {"given", setting.given_reset ? json() : json_text(setting.given)}};
    const json document = {{"format", 1}, {"system_identifier", record.system.value}, {"settings", settings}};
    std::error_code error;
    if (!std::filesystem::exists(path.parent_path(), error)) base::create_directories_durably(path.parent_path());
    base::write_file_durably(path, document.dump(2) + "\n");
}

}  // namespace howdah::archive
