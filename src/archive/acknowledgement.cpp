#include "archive/acknowledgement.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::archive {

namespace {

constexpr base::Bytes kLargest{64u << 10};

std::string content(const FileStamp& stamp, const std::string& marker) {
    return fmt::format("howdah acknowledgement 1\nfile {} {} {} {}\nrepository {}\nend\n", stamp.device, stamp.inode, stamp.size, stamp.modified_ns, marker);
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino), static_cast<std::uint64_t>(status.st_size),
            static_cast<std::int64_t>(status.st_mtim.tv_sec) * kNanoseconds + status.st_mtim.tv_nsec};
}

FileStamp stamp_of(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0)
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot look at {}", file.string()), errno);
    return stamp_of(status);
}

bool Acknowledgements::exists(const std::string& name) const {
    std::error_code error;
    return std::filesystem::exists(folder_ / name, error);
}

bool Acknowledgements::trusted(const std::string& name, const FileStamp& stamp, const std::string& marker) const {
    const auto text = base::read_file_if_exists(folder_ / name, kLargest);
    return text && *text == content(stamp, marker);
}

void Acknowledgements::write(const std::string& name, const FileStamp& stamp, const std::string& marker) const {
    std::error_code error;
    if (!std::filesystem::exists(folder_, error)) base::create_directories_durably(folder_);
    base::write_file_durably(folder_ / name, content(stamp, marker));
}

void Acknowledgements::remove(const std::string& name) const {
    std::error_code ignored;  // What stays is stale and removed by a later push.
    std::filesystem::remove(folder_ / name, ignored);
}

void Acknowledgements::remove_except(const std::set<std::string>& waiting) const {
    std::error_code error;
    std::filesystem::directory_iterator entry(folder_, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (const std::string name = entry->path().filename().string(); !waiting.contains(name)) remove(name);
}

}  // namespace howdah::archive
