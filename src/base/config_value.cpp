#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "base/config_schema.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"

namespace howdah::base::schema {

namespace {

namespace fs = std::filesystem;
using Kind = Value::Kind;

/// What the objection shows of a value: never a secret.
std::string seen(const Value& value) {
    return value.kind == Kind::text || value.kind == Kind::word ? json_quote(redact(value.text)) : value.text;
}

Objection wrong_type(const char* expected, const Value& value) { return {fmt::format("not {}: {}", expected, seen(value)), {}}; }

bool is_text(const Value& value) { return value.kind == Kind::text || value.kind == Kind::word; }

Objection parse(const Setting&, const Value& value, std::string& into) {
    if (!is_text(value)) return wrong_type("a text", value);
    into = value.text;
    return {};
}

Objection parse(const Setting&, const Value& value, std::optional<std::string>& into) {
    if (!is_text(value)) return wrong_type("a text", value);
    into = value.text;
    return {};
}

Objection parse(const Setting&, const Value& value, fs::path& into) {
    if (!is_text(value)) return wrong_type("a text", value);
    if (!value.text.starts_with('/') || value.text.find('\0') != std::string::npos) return wrong_type("an absolute path", value);
    into = value.text;
    return {};
}

template <typename Number>
    requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>)
Objection parse(const Setting& setting, const Value& value, Number& into) {
    if (value.kind != Kind::number && value.kind != Kind::word) return wrong_type("a whole number", value);
    long number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, number);
    if (error == std::errc::invalid_argument || stop != end) return wrong_type("a whole number", value);
    if (error != std::errc() || number < setting.least || number > setting.most)
        return {fmt::format("out of range: {}", value.text), fmt::format("use {} to {}", setting.least, setting.most)};
    into = static_cast<Number>(number);
    return {};
}

Objection parse(const Setting&, const Value& value, bool& into) {
    const bool is_true =
        value.text == "true" || (value.kind == Kind::word && (value.text == "on" || value.text == "yes" || value.text == "1"));
    const bool is_false =
        value.text == "false" || (value.kind == Kind::word && (value.text == "off" || value.text == "no" || value.text == "0"));
    if ((value.kind != Kind::boolean && value.kind != Kind::word) || (!is_true && !is_false)) return wrong_type("true or false", value);
    into = is_true;
    return {};
}

Objection parse(const Setting&, const Value& value, Duration& into) {
    constexpr const char* kHint = "use a number with us, ms, s, min, h, d or w, such as \"15min\"";
    const auto duration = is_text(value) || value.kind == Kind::number ? parse_duration(value.text) : std::nullopt;
    if (duration && value.text.find_first_not_of("0123456789 ") == std::string::npos)
        return {fmt::format("a duration without a unit: {}", seen(value)), kHint};
    if (!duration) return {fmt::format("not a duration: {}", seen(value)), kHint};
    if (*duration <= Duration::zero()) return {fmt::format("not longer than zero: {}", seen(value)), kHint};
    into = *duration;
    return {};
}

Objection parse(const Setting& setting, const Value& value, std::optional<Duration>& into) { return parse(setting, value, into.emplace()); }

Objection parse(const Setting&, const Value& value, std::vector<std::string>& into) {
    if (value.kind == Kind::list) {
        into = value.list;
        return {};
    }
    if (value.kind != Kind::word) return {fmt::format("not a list of texts: {}", seen(value)), "write it as [\"main\", \"offsite\"]"};
    for (std::size_t begin = 0; begin < value.text.size();) {
        const std::size_t end = std::min(value.text.find(',', begin), value.text.size());
        const std::size_t first = value.text.find_first_not_of(' ', begin), last = value.text.find_last_not_of(' ', end - 1);
        if (end > begin && first < end) into.push_back(value.text.substr(first, last - first + 1));
        begin = end + 1;
    }
    return {};
}

/// The form that parse_duration reads back exactly.
std::string exact(Duration duration) {
    constexpr std::pair<std::int64_t, const char*> kUnits[] = {
        {86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "min"}, {1'000'000, "s"}, {1000, "ms"}};
    for (const auto& [factor, name] : kUnits)
        if (duration.count() % factor == 0) return fmt::format("{}{}", duration.count() / factor, name);
    return fmt::format("{}us", duration.count());
}

std::string toml(const std::string& value) { return json_quote(redact(value)); }
std::string toml(const fs::path& value) { return json_quote(value.string()); }
std::string toml(const std::optional<std::string>& secret) { return secret ? "\"***\"" : "\"\""; }
std::string toml(bool value) { return value ? "true" : "false"; }
std::string toml(unsigned value) { return fmt::format("{}", value); }
std::string toml(int value) { return fmt::format("{}", value); }
std::string toml(Duration value) { return json_quote(exact(value)); }
std::string toml(const std::optional<Duration>& value) { return value ? toml(*value) : "\"\""; }
std::string toml(const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + json_quote(value);
    return "[" + list + "]";
}

}  // namespace

Objection assign(const Setting& setting, Config& config, Name name, const Value& value) {
    return std::visit(
        [&](auto field) -> Objection {
            // Parsed apart, so that a wrong value changes nothing.
            std::remove_reference_t<decltype(field(config, name))> parsed{};
            if (Objection objection = parse(setting, value, parsed); !objection.what.empty()) return objection;
            if (setting.check) {
                if (Objection objection = setting.check(value.text); !objection.what.empty()) return objection;
            }
            field(config, name) = std::move(parsed);
            return {};
        },
        setting.field);
}

std::string shown(const Setting& setting, const Config& config, Name name) {
    return std::visit(
        [&](auto field) {
            // Fields give out writable references only; nothing is written here, for the named entry exists.
            return toml(field(const_cast<Config&>(config), name));
        },
        setting.field);
}

}  // namespace howdah::base::schema
