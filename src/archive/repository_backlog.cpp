#include "archive/repository_backlog.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "base/file.hpp"
#include "postgres/wal_name.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using postgres::WalFileKind;

namespace {

constexpr std::string_view kDiffers = ".differs";
constexpr const char* kDown = "down";

/// Since the file was last written to, negative when the clock was set back since; none when it is not there.
std::optional<base::Duration> age_of(const fs::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    const base::Timestamp written(std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
    const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    return now - written;
}

std::string differing_name(const std::string& name) { return name + std::string(kDiffers); }

}  // namespace

fs::path backlog_folder(const fs::path& backlogs, const std::string& cluster, base::SystemIdentifier system,
                        const std::string& repository) {
    return backlogs / cluster / base::text(system) / repository;
}

void RepositoryBacklog::add(const std::string& name, bool differs) const {
    base::create_directories_durably(folder_);
    const fs::path plain = folder_ / name, other = folder_ / differing_name(name);
    std::error_code error;
    if (differs && fs::exists(plain, error)) fs::rename(plain, other);
    if (!fs::exists(other, error)) base::File::open(differs ? other : plain, O_WRONLY | O_CREAT);
    base::sync_directory(folder_);
}

void RepositoryBacklog::remove(const std::string& name) const {
    std::error_code ignored;  // What stays is looked at again and found to be there.
    fs::remove(folder_ / name, ignored);
    fs::remove(folder_ / differing_name(name), ignored);
}

std::vector<RepositoryBacklog::Entry> RepositoryBacklog::list() const {
    std::vector<Entry> entries;
    std::error_code error;
    fs::directory_iterator entry(folder_, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        Entry found{entry->path().filename().string()};
        if (found.name.ends_with(kDiffers)) {
            found.differs = true;
            found.name.resize(found.name.size() - kDiffers.size());
        }
        const auto kind = postgres::classify_wal_file(found.name);
        if (kind == WalFileKind::segment || kind == WalFileKind::partial || kind == WalFileKind::history)
            entries.push_back(std::move(found));
    }
    if (error && error != std::errc::no_such_file_or_directory)
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot read {}", folder_.string()), error.value());
    const auto rank = [](const Entry& each) {
        return std::pair(postgres::classify_wal_file(each.name) != WalFileKind::history, each.name);
    };
    std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return rank(a) < rank(b); });
    return entries;
}

std::optional<base::Duration> RepositoryBacklog::oldest_age() const {
    for (const Entry& entry : list())
        if (const auto age = age_of(folder_ / (entry.differs ? differing_name(entry.name) : entry.name)))
            return std::max(base::Duration{}, *age);
    return std::nullopt;
}

std::optional<std::string> RepositoryBacklog::differing() const {
    for (const Entry& entry : list())
        if (entry.differs) return entry.name;
    return std::nullopt;
}

void RepositoryBacklog::note_down() const {
    std::error_code error;
    if (!fs::exists(folder_, error)) base::create_directories_durably(folder_);
    const base::File file = base::File::open(folder_ / kDown, O_WRONLY | O_CREAT);
    ::futimens(file.descriptor(), nullptr);
}

void RepositoryBacklog::note_up() const {
    std::error_code ignored;
    fs::remove(folder_ / kDown, ignored);
}

std::optional<base::Duration> RepositoryBacklog::since_down() const {
    const auto age = age_of(folder_ / kDown);
    return age && *age < base::Duration{} ? std::nullopt : age;
}

}  // namespace howdah::archive
