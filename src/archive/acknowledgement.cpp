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

std::string content(const FileStamp& stamp, const Promise& promise) {
    std::string text = fmt::format("howdah acknowledgement 1\nfile {} {} {} {}\nobject {}\n", stamp.device, stamp.inode, stamp.size,
                                   stamp.modified_ns, promise.object);
    for (const std::string& marker : promise.markers) text += "repository " + marker + "\n";
    return text + "end\n";
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

std::optional<Promise> Acknowledgements::promise(const std::string& name, const FileStamp& stamp) const {
    const auto text = base::read_file_if_exists(folder_ / name, kLargest);
    if (!text) return std::nullopt;
    Promise promise;
    const auto take = [&](std::string_view line) {
        constexpr std::string_view kObject = "object ", kRepository = "repository ";
        if (line.starts_with(kObject)) promise.object = line.substr(kObject.size());
        if (line.starts_with(kRepository)) promise.markers.emplace_back(line.substr(kRepository.size()));
    };
    for (std::size_t begin = 0, end = 0; (end = text->find('\n', begin)) != text->npos; begin = end + 1)
        take(std::string_view(*text).substr(begin, end - begin));
    if (promise.object.empty() || promise.markers.empty() || *text != content(stamp, promise)) return std::nullopt;
    return promise;
}

void Acknowledgements::write(const std::string& name, const FileStamp& stamp, const Promise& promise) const {
    std::error_code error;
    if (!std::filesystem::exists(folder_, error)) base::create_directories_durably(folder_);
    // Neither durable nor at once: what a kill or a power cut leaves of it is no acknowledgement, and its segment is pushed again.
    base::File::open(folder_ / name, O_WRONLY | O_CREAT | O_TRUNC).append(base::as_bytes(content(stamp, promise)));
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
