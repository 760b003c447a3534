#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/config.hpp"

/// The one list of everything that can be configured. Reading files, the environment, unknown-key hints, `config show` and `config
/// init` all work from it: a new key is one new row and one new field of Config.
namespace howdah::base::schema {

using Name = const std::string&;

/// Where a setting lives in a Config; for [cluster.NAME] and [repository.NAME] the entry of that name is made. The alternatives are
/// the types a setting can have; a secret is the optional string.
using Field = std::variant<std::string& (*)(Config&, Name), std::filesystem::path& (*)(Config&, Name), unsigned& (*)(Config&, Name),
                           int& (*)(Config&, Name), bool& (*)(Config&, Name), Duration& (*)(Config&, Name),
                           std::optional<std::string>& (*)(Config&, Name), std::optional<Duration>& (*)(Config&, Name),
                           std::vector<std::string>& (*)(Config&, Name)>;

/// What is wrong with a value; an empty `what` is nothing.
struct Objection {
    std::string what;
    std::string hint;
};

/// Looks at a text or path beyond its type.
using Check = Objection (*)(const std::string& value);

struct Setting {
    std::string_view section;  ///< "backup", "cluster".
    std::string_view key;
    Field field;
    std::string_view meaning;       ///< One sentence, the comment that `config init` writes.
    std::string_view initial = {};  ///< The value `config init` writes, as TOML; none: it is left out.
    long least = 0;                 ///< Of a number.
    long most = 0;                  ///< Of a number.
    Check check = nullptr;
    Check check_in_file = nullptr;  ///< Secrets may come from the environment and never from a file.
};

std::span<const Setting> settings();

/// Whether a section holds one table for each name.
bool is_named(std::string_view section);

/// A value as it was found. Everything in the environment is a `word`, which suits every type; a list stands there with commas.
struct Value {
    enum class Kind { text, number, boolean, word, list, other } kind = Kind::other;
    std::string text;               ///< Of another kind: what it is, "a list".
    std::vector<std::string> list;  ///< Of a list of texts.
};

/// Puts the value into the field when its type, range and checks allow; otherwise nothing changes and the objection says why.
Objection assign(const Setting& setting, Config& config, Name name, const Value& value);

/// The value in force as TOML; a secret and any password in it is shown as "***".
std::string shown(const Setting& setting, const Config& config, Name name);

/// Whether clusters and repositories may have this name.
Objection check_name(const std::string& name);

}  // namespace howdah::base::schema
