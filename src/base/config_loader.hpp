#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/config_schema.hpp"

namespace howdah::base {

/// Builds a Config from its sources, each overriding those before, and collects what is wrong with them.
class ConfigLoader {
public:
    /// Reads one file. One that is unreadable or no TOML is a problem.
    void read(const std::filesystem::path& file);
    /// Reads HOWDAH_* and then DATABASE_URL from pairs "NAME=value" as environ has them.
    void read_environment(const std::vector<std::string>& environment);
    /// Looks at what must be there in the end.
    void finish();

    Config config;
    std::vector<ConfigProblem> problems;

private:
    struct Place {
        std::filesystem::path file;
        unsigned line = 0;
    };
    void read_key(const Place& place, const std::vector<std::string>& path, bool table, const schema::Value& value);
    void read_setting(const Place& place, const std::string& section, const std::string& name, const std::string& key,
                      const schema::Value& value);
    void read_variable(const std::string& variable, const std::string& value);
    std::string name_for(std::string_view section, const std::string& upper) const;
    void object(const Place& place, const std::string& key, schema::Objection objection);
    void check_wal_repositories();
    /// The names must be those of repositories, each once, and of `among` if that has any.
    void check_names(const std::string& key, const std::vector<std::string>& names, const std::vector<std::string>& among);

    std::map<std::string, Place> first_seen_;  ///< Tables of clusters and repositories by "repository.main".
    std::map<std::string, Place> set_;         ///< Where the setting in force stands, by "wal.required"; none: in the environment.
};

}  // namespace howdah::base
