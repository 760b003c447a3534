#include "archive/acknowledgement.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::archive {

namespace {

constexpr base::Bytes kLargest{64u << 10};

std::string content(const FileStamp& stamp, const std::string& marker, const std::string& object) {
    return fmt::format("howdah acknowledgement 1\nfile {} {} {} {}\nobject {}\nrepository {}\nend\n", stamp.device, stamp.inode, stamp.size,
                       stamp.modified_ns, object, marker);
}

}  // namespace

FileStamp stamp_of(const struct stat& status) {
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
            static_cast<std::uint64_t>(status.st_size),
            static_cast<std::int64_t>(status.st_mtim.tv_sec) * kNanoseconds + status.st_mtim.tv_nsec};
}

FileStamp stamp_of(const std::filesystem::path& file) {
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0)
        throw base::SystemFailure(base::FailureKind::operation, fmt::format("cannot look at {}", file.string()), errno);
    return stamp_of(status);
}

bool Acknowledgements::exists(const std::string& name) const {
    std::error_code error;
    return std::filesystem::exists(folder_ / name, error);
}

std::optional<std::string> Acknowledgements::object(const std::string& name, const FileStamp& stamp, const std::string& marker) const {
    constexpr std::string_view word = "\nobject ";
    const auto text = base::read_file_if_exists(folder_ / name, kLargest);
    const auto found = text ? text->find(word) : std::string::npos;
    if (found == std::string::npos) return std::nullopt;
    const auto begin = found + word.size();
    const std::string object = text->substr(begin, text->find('\n', begin) - begin);
    if (object.empty() || *text != content(stamp, marker, object)) return std::nullopt;
    return object;
}

void Acknowledgements::write(const std::string& name, const FileStamp& stamp, const std::string& marker, const std::string& object) const {
    std::error_code error;
    if (!std::filesystem::exists(folder_, error)) base::create_directories_durably(folder_);
    // Neither durable nor at once: what a kill or a power cut leaves of it is no acknowledgement, and its segment is pushed again.
    base::File::open(folder_ / name, O_WRONLY | O_CREAT | O_TRUNC).append(base::as_bytes(content(stamp, marker, object)));
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
