#include "base/config_toml.hpp"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>

namespace howdah::base {

namespace {

using schema::Value;

Value value_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return {Value::Kind::text, text->get(), {}};
    if (const auto* number = node.as_integer()) return {Value::Kind::number, std::to_string(number->get()), {}};
    if (const auto* boolean = node.as_boolean()) return {Value::Kind::boolean, boolean->get() ? "true" : "false", {}};
    if (const auto* array = node.as_array(); array && (array->empty() || array->is_homogeneous<std::string>())) {
        Value value{Value::Kind::list, "a list", {}};
        for (const auto& each : *array) value.list.push_back(each.as_string()->get());
        return value;
    }
    return {Value::Kind::other, node.is_array() ? "a list" : node.is_floating_point() ? "a number with a fraction" : "a date or time", {}};
}

void collect(const toml::table& table, const std::vector<std::string>& prefix, std::vector<TomlEntry>& entries) {
    for (const auto& [key, node] : table) {
        TomlEntry entry{.path = prefix, .line = static_cast<unsigned>(key.source().begin.line), .table = node.is_table(), .value = {}};
        entry.path.emplace_back(key.str());
        if (!entry.table) entry.value = value_of(node);
        entries.push_back(entry);
        if (entry.table) collect(*node.as_table(), entry.path, entries);
    }
}

}  // namespace

std::vector<TomlEntry> read_toml(const std::string& content, TomlError& error) {
    const toml::parse_result result = toml::parse(content);
    if (!result) {
        error = {static_cast<unsigned>(result.error().source().begin.line), std::string(result.error().description())};
        return {};
    }
    std::vector<TomlEntry> entries;
    collect(result.table(), {}, entries);
    std::stable_sort(entries.begin(), entries.end(), [](const TomlEntry& a, const TomlEntry& b) { return a.line < b.line; });
    return entries;
}

}  // namespace howdah::base
