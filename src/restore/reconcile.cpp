#include "restore/reconcile.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "base/file.hpp"
#include "base/hooks.hpp"
#include "restore/recovery_settings.hpp"

namespace howdah::restore {

namespace {

namespace fs = std::filesystem;
using base::FailureKind;

/// Written by every restore and, but for the first, no part of any backup: taking them away is no news.
constexpr std::array<std::string_view, 3> kOwnFiles{"backup_label", "recovery.signal", "standby.signal"};

[[noreturn]] void fail(const char* what, const std::string& path) {
    throw base::SystemFailure(FailureKind::operation, fmt::format("cannot {} {}", what, path), errno);
}

/// "PG_17_202406281": the folder of some server version in a tablespace.
bool is_version_folder(std::string_view name) {
    return name.starts_with("PG_") && name.find_first_not_of("0123456789_", 3) == std::string_view::npos;
}

/// Taken before anything in the folder is removed.
std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& item : fs::directory_iterator(folder)) names.push_back(item.path().filename().string());
    return names;
}

class Reconciler {
public:
    Reconciler(const Destinations& destinations, Layout& layout) : destinations_(destinations), layout_(layout) {
        files_.reserve(layout.files.size());
        for (std::uint32_t i = 0; i < layout.files.size(); ++i) files_.emplace(layout.files[i].path, i);
    }

    Reconciled run() {
        top(destinations_.data_directory, false);
        for (const auto& [oid, folder] : destinations_.tablespaces) top(folder, true);
        return std::move(result_);
    }

private:
    void top(const fs::path& folder, bool tablespace) {
        for (const auto& name : names_in(folder.string())) {
            const auto path = (folder / name).string();
            if (name == kMark || name == "lost+found") continue;
            const bool known = layout_.folders.contains(path);
            if (tablespace && !known && is_version_folder(name)) continue;
            const bool own = !tablespace && std::ranges::find(kOwnFiles, name) != kOwnFiles.end();
            look(path, own);
        }
    }

    void look(const std::string& path, bool own = false) {
        struct stat facts{};
        if (::lstat(path.c_str(), &facts) != 0) fail("look at", path);
        if (S_ISDIR(facts.st_mode) && layout_.folders.contains(path)) return keep_folder(path, facts);
        if (S_ISLNK(facts.st_mode) && keep_link(path)) return;
        if (S_ISREG(facts.st_mode) && facts.st_nlink == 1 && keep_file(path, facts)) return;
        remove(path, facts, own);
    }

    void keep_folder(const std::string& path, const struct stat& facts) {
        if ((facts.st_mode & 0700u) != 0700u && ::chmod(path.c_str(), (facts.st_mode & 07777u) | 0700u) != 0)
            fail("set the permissions of", path);
        for (const auto& name : names_in(path)) look(path + "/" + name);
    }

    bool keep_link(const std::string& path) {
        const auto wanted = layout_.links.find(path);
        return wanted != layout_.links.end() && fs::read_symlink(path) == wanted->second;
    }

    bool keep_file(const std::string& path, const struct stat& facts) {
        const auto found = files_.find(path);
        if (found == files_.end()) return false;
        if ((facts.st_mode & 0600u) != 0600u && ::chmod(path.c_str(), (facts.st_mode & 07777u) | 0600u) != 0)
            fail("set the permissions of", path);
        auto& file = layout_.files[found->second];
        file.present = static_cast<std::uint64_t>(facts.st_size);
        const auto modified = facts.st_mtim.tv_sec * 1'000'000 + facts.st_mtim.tv_nsec / 1000;
        file.trusted = !base::guard("T20.delta_by_bytes") && file.present == file.size && file.modified_us == modified;
        return true;
    }

    void remove(const std::string& path, const struct stat& facts, bool own) {
        if (S_ISLNK(facts.st_mode))
            result_.notes.push_back(fmt::format("{} was a link to {} and is none any more; what lies there was left as it was", path,
                                                fs::read_symlink(path).string()));
        if (S_ISDIR(facts.st_mode))
            for (const auto& item : fs::recursive_directory_iterator(path)) result_.removed += !fs::is_directory(item.symlink_status());
        else if (!own && !files_.contains(path))
            ++result_.removed;
        fs::remove_all(path);
    }

    const Destinations& destinations_;
    Layout& layout_;
    std::unordered_map<std::string_view, std::uint32_t> files_;  ///< By path.
    Reconciled result_;
};

}  // namespace

std::string remove_control(const Destinations& destinations) {
    const auto folder = destinations.data_directory / "global";
    const auto path = folder / "pg_control";
    auto bytes = base::read_file_if_exists(path).value_or(std::string());
    std::error_code error;
    if (fs::remove(destinations.data_directory / "postmaster.pid", error)) base::sync_directory(destinations.data_directory);
    if (error)
        throw base::SystemFailure(FailureKind::operation,
                                  fmt::format("cannot remove {}", (destinations.data_directory / "postmaster.pid").string()),
                                  error.value());
    if (base::guard("T13.control_removed_first") && fs::remove(path)) base::sync_directory(folder);
    base::fault_point("restore.control_removed");
    return bytes;
}

Reconciled reconcile(const Destinations& destinations, Layout& layout) {
    withdraw_recovery(destinations.data_directory);
    auto result = Reconciler(destinations, layout).run();
    base::fault_point("restore.reconciled");
    return result;
}

void make_folders_and_links(const Layout& layout) {
    for (const auto& [path, mode] : layout.folders) {
        if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fail("make the folder", path);
        struct stat facts{};
        if (::lstat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) fail("make the folder", path);
        // mkdir takes the umask's bits away.
        if ((facts.st_mode & 07777u) != mode && ::chmod(path.c_str(), mode) != 0) fail("set the permissions of", path);
    }
    for (const auto& [path, target] : layout.links) {
        if (::symlink(target.c_str(), path.c_str()) == 0) continue;
        const int error = errno;
        std::error_code ignored;
        if (error == EEXIST && fs::read_symlink(path, ignored) == target) continue;
        errno = error;
        fail("make the link", path);
    }
}

}  // namespace howdah::restore
