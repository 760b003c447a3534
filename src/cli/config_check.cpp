#include "cli/config_check.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/log.hpp"
#include "base/process.hpp"
#include "cli/context.hpp"
#include "client/conninfo.hpp"
#include "repository/key_slots.hpp"

namespace howdah::cli {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kFileScheme = "file://";

class DeepLook {
public:
    explicit DeepLook(const base::Config& config)
        : config_(&config), user_(working_user(config, {}).value_or(base::current_user())), groups_(base::groups_of(user_)) {}

    std::vector<base::ConfigProblem> all() {
        if (config_->repositories.empty())
            problems_.push_back({first_file(), 0, "repository", "no repository is configured",
                                 "add [repository.main] with url and key_file, or set HOWDAH_REPOSITORY_MAIN_URL"});
        for (const auto& [name, cluster] : config_->clusters) look_at(cluster);
        for (const auto& [name, repository] : config_->repositories) look_at(repository);
        return std::move(problems_);
    }

private:
    fs::path first_file() const { return config_->files.empty() ? fs::path() : config_->files.front(); }

    /// A problem at the place where the setting stands, as far as that is known.
    void object(const std::string& key, std::string what, std::string hint) {
        base::ConfigProblem problem{first_file(), 0, key, base::redact(what), std::move(hint)};
        const auto origin = config_->origins.find(key);
        if (origin != config_->origins.end()) {
            const auto& place = origin->second;
            const auto colon = place.rfind(':');
            if (place.starts_with("environment ")) {
                problem.file.clear();
                problem.key = place.substr(place.find(' ') + 1);
            } else if (colon != std::string::npos) {
                problem.file = place.substr(0, colon);
                std::from_chars(place.data() + colon + 1, place.data() + place.size(), problem.line);
            }
        }
        problems_.push_back(std::move(problem));
    }

    void look_at(const base::ClusterConfig& cluster) {
        const auto key = "cluster." + cluster.name + ".";
        if (cluster.conninfo.empty()) {
            object(key + "conninfo", "missing", "add conninfo = \"host=/var/run/postgresql user=postgres\"");
        } else if (cluster.conninfo.find('=') == std::string::npos && cluster.conninfo.find("://") == std::string::npos) {
            object(key + "conninfo", fmt::format("no keyword=value and no URI: {} would be taken for a database's name", cluster.conninfo),
                   "write it like \"host=/var/run/postgresql user=postgres\", a database as dbname=NAME");
        } else if (const auto read = read_conninfo(cluster.conninfo, {}); !read) {
            object(key + "conninfo", fmt::format("libpq cannot read it: {}", read.error().message()),
                   "write it like \"host=/var/run/postgresql user=postgres\" or as a URI");
        }
        look_at_folder(key + "data_directory", cluster.data_directory, "name the folder that SHOW data_directory tells");
        look_at_folder(key + "program_directory", cluster.program_directory, "name the folder with pg_ctl, or leave it out");
    }

    void look_at_folder(const std::string& key, const fs::path& folder, const char* hint) {
        std::error_code error;
        if (folder.empty()) return;
        const auto status = fs::status(folder, error);
        if (status.type() == fs::file_type::not_found)
            object(key, fmt::format("there is no such folder: {}", folder.string()), hint);
        else if (fs::exists(status) && !fs::is_directory(status))
            object(key, fmt::format("not a folder: {}", folder.string()), hint);
    }

    void look_at(const base::RepositoryConfig& repository) {
        const auto key = "repository." + repository.name + ".";
        if (!repository.key_file.empty() && !repository.passphrase_file.empty())
            object(key + "passphrase_file", "both key_file and passphrase_file are set", "keep the one that the repository was made with");
        const bool sound = look_at_secret(key + "key_file", repository.key_file, made(repository)) &&
                           look_at_secret(key + "passphrase_file", repository.passphrase_file, true);
        std::error_code error;
        if (!sound || (!repository.key_file.empty() && !fs::exists(repository.key_file, error))) return;
        try {
            repository::read_credentials(repository);
        } catch (const base::Failure& failure) {
            object(key + (repository.key_file.empty() ? "passphrase_file" : "key_file"), failure.what(), failure.hint());
        }
    }

    static bool made(const base::RepositoryConfig& repository) {
        std::error_code error;
        return repository.url.starts_with(kFileScheme) &&
               fs::exists(fs::path(repository.url.substr(kFileScheme.size())) / repository::kMarkerName, error);
    }

    /// Whether the file can be read, or need not be there yet.
    bool look_at_secret(const std::string& key, const fs::path& file, bool needed) {
        if (file.empty()) return true;
        struct stat status{};
        if (::stat(file.c_str(), &status) != 0) {
            const int reason = errno;
            if (reason == ENOENT && !needed) return true;
            if (reason == ENOENT)
                object(key, fmt::format("there is no such file: {}", file.string()),
                       "bring the copy back; a new one opens nothing that was stored before");
            else
                object(
                    key,
                    base::SystemFailure(base::FailureKind::configuration, fmt::format("cannot look at {}", file.string()), reason).what(),
                    "give this user the right to go there");
            return false;
        }
        if (!S_ISREG(status.st_mode)) {
            object(key, fmt::format("not a file: {}", file.string()), "name the file itself");
            return false;
        }
        if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
            object(key, fmt::format("other users have rights to {}: its mode is {:04o}", file.string(), status.st_mode & 07777u),
                   fmt::format("chmod 600 {}", file.string()));
        if (user_may(status, 4) && may_reach(file)) return true;
        object(key, fmt::format("user {} cannot read {}", user_.name, file.string()),
               fmt::format("chown {} {}, and let that user into its folders", user_.name, file.string()));
        return false;
    }

    bool may_reach(const fs::path& file) const {
        for (auto folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
            struct stat status{};
            if (::stat(folder.c_str(), &status) == 0 && !user_may(status, 1)) return false;
            if (folder == folder.parent_path()) break;
        }
        return true;
    }

    /// By the mode alone: `right` is 4 to read, 1 to enter.
    bool user_may(const struct stat& status, unsigned right) const {
        if (user_.uid == 0) return true;
        const bool in_group = std::find(groups_.begin(), groups_.end(), status.st_gid) != groups_.end();
        const unsigned shift = status.st_uid == user_.uid ? 6 : in_group ? 3 : 0;
        return (status.st_mode >> shift & right) != 0;
    }

    const base::Config* config_;
    base::User user_;
    std::vector<gid_t> groups_;
    std::vector<base::ConfigProblem> problems_;
};

}  // namespace

std::vector<base::ConfigProblem> look_deeper(const base::Config& config) { return DeepLook(config).all(); }

}  // namespace howdah::cli
