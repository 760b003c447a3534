#include "archive/look_ahead.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "archive/pg_wal.hpp"
#include "archive/segment_check.hpp"
#include "base/file.hpp"
#include "base/hooks.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "repository/piece_hash.hpp"

namespace howdah::archive {

namespace fs = std::filesystem;
using base::FailureKind;

namespace {

constexpr std::string_view kSeal = "HOWDAHLA";
constexpr std::size_t kSealBytes = 16;
constexpr const char* kPosition = "position";
constexpr const char* kLock = "lock";
constexpr const char* kPurpose = "look-ahead";
constexpr const char* kPart = ".part";
constexpr std::chrono::seconds kLongestWait{10};

/// A file's bytes without a copy: a hit costs its hash and nothing more.
class Mapped {
public:
    Mapped(const base::File& file, std::size_t size) : size_(size) {
        if (size) address_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file.descriptor(), 0);
    }
    ~Mapped() {
        if (address_ != MAP_FAILED) ::munmap(address_, size_);
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;
    std::span<const std::byte> bytes() const {
        if (address_ == MAP_FAILED) return {};
        return {static_cast<const std::byte*>(address_), size_};
    }

private:
    void* address_ = MAP_FAILED;
    std::size_t size_;
};

std::array<std::byte, kSealBytes> seal_of(std::uint64_t hash) {
    std::array<std::byte, kSealBytes> seal{};
    std::memcpy(seal.data(), kSeal.data(), kSeal.size());
    for (std::size_t i = 0; i < sizeof hash; ++i) seal[kSeal.size() + i] = static_cast<std::byte>(hash >> (8 * i));
    return seal;
}

bool owned_privately(const struct stat& status) { return status.st_uid == ::geteuid() && (status.st_mode & 077) == 0; }

/// Owner's file of the right type, opened without following a link; none otherwise.
std::optional<base::File> open_private(const fs::path& path, std::size_t& size) {
    base::File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.descriptor(), &status) != 0 || !S_ISREG(status.st_mode) || !owned_privately(status))
        return std::nullopt;
    size = static_cast<std::size_t>(status.st_size);
    return file;
}

void rename_over(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw base::SystemFailure(FailureKind::operation, fmt::format("cannot rename {} to {}", from.string(), to.string()), errno);
}

void remove_quietly(const fs::path& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

struct RemovedAtEnd {
    explicit RemovedAtEnd(fs::path file) : path(std::move(file)) {}
    ~RemovedAtEnd() { ::unlink(path.c_str()); }
    RemovedAtEnd(const RemovedAtEnd&) = delete;
    RemovedAtEnd& operator=(const RemovedAtEnd&) = delete;
    const fs::path path;
};

}  // namespace

fs::path beside(const fs::path& destination) { return destination.string() + ".howdah"; }

void deliver(std::span<const std::byte> bytes, const fs::path& destination) {
    const fs::path temporary = beside(destination);
    remove_quietly(temporary);
    base::File::open(temporary, O_WRONLY | O_CREAT | O_EXCL).append(bytes);
    base::fault_point("wal_fetch.before_rename");
    rename_over(temporary, destination);
    base::fault_point("wal_fetch.after_rename");
}

LookAhead::LookAhead(const fs::path& folder, const repository::Repository& repository, const repository::ClusterArea& area)
    : repository_(&repository),
      system_(area.system()),
      parent_(fs::absolute(folder)),
      owner_(fmt::format("{}-{}-{}+", repository.id(), area.system().value, area.cluster())),  // No cluster name holds a plus sign.
      folder_(parent_ / (owner_ + base::boot_identifier())) {}

bool LookAhead::ours() const {
    struct stat status{};
    return ::lstat(folder_.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && owned_privately(status);
}

bool LookAhead::prepare() const {
    std::error_code error;
    if (!fs::exists(folder_, error)) base::create_directories_durably(folder_);
    return ours();
}

bool LookAhead::holds(const std::string& name) const {
    std::error_code error;
    return fs::exists(folder_ / name, error);
}

bool LookAhead::right(const std::string& name, std::span<const std::byte> file) const {
    if (file.size() <= kSealBytes) return false;
    const auto segment = file.first(file.size() - kSealBytes);
    repository::PieceHash hash(repository_->key(), kPurpose);
    hash.add(segment);
    if (const auto seal = seal_of(hash.value()); !std::equal(seal.begin(), seal.end(), file.end() - kSealBytes)) return false;
    try {
        check_segment(name, segment, segment.size(), system_);
        return true;
    } catch (const base::Failure& failure) {
        base::log_debug("look-ahead file {} is not used: {}", name, failure.what());
        return false;
    }
}

std::optional<std::uint64_t> LookAhead::take(const std::string& name, const fs::path& destination) const {
    if (!ours()) return std::nullopt;
    await(name);
    const fs::path path = folder_ / name;
    std::size_t size = 0;
    const auto file = open_private(path, size);
    if (!file) return std::nullopt;
    const Mapped mapped(*file, size);
    if (!right(name, mapped.bytes())) {
        remove_quietly(path);
        return std::nullopt;
    }
    const std::size_t segment_size = size - kSealBytes;
    const fs::path temporary = beside(destination);
    if (::rename(path.c_str(), temporary.c_str()) == 0) {
        if (::truncate(temporary.c_str(), static_cast<off_t>(segment_size)) != 0)
            throw base::SystemFailure(FailureKind::operation, fmt::format("cannot shorten {}", temporary.string()), errno);
        rename_over(temporary, destination);
    } else {  // Another file system.
        deliver(mapped.bytes().first(segment_size), destination);
        remove_quietly(path);
    }
    return segment_size;
}

bool LookAhead::put(const std::string& name, const std::function<bool(const std::function<void(Piece)>& visit)>& read) const {
    const RemovedAtEnd temporary(folder_ / (name + kPart));
    remove_quietly(temporary.path);
    const base::File file = base::File::open(temporary.path, O_WRONLY | O_CREAT | O_EXCL);
    repository::PieceHash hash(repository_->key(), kPurpose);
    const bool there = read([&](Piece piece) {
        hash.add(piece);
        file.append(piece);
    });
    if (!there) return false;
    file.append(seal_of(hash.value()));
    rename_over(temporary.path, folder_ / name);
    return true;
}

std::optional<base::File> LookAhead::lock() const {
    base::File file = base::File::open(folder_ / kLock, O_RDWR | O_CREAT);
    if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
    return file;
}

bool LookAhead::locked() const {
    const auto file = base::File::open_if_exists(folder_ / kLock, O_RDONLY);
    return file && ::flock(file->descriptor(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void LookAhead::await(const std::string& name) const {
    std::error_code error;
    const auto part = folder_ / (name + kPart);
    if (!fs::exists(part, error)) return;
    FolderWatch watch(folder_);
    const auto end = std::chrono::steady_clock::now() + kLongestWait;
    // What is half written by a process that died stays so: only a living one's is awaited.
    while (fs::exists(part, error) && locked() && std::chrono::steady_clock::now() < end)
        watch.wait(std::chrono::milliseconds(100), base::Cancellation());
}

void LookAhead::set_position(const std::string& name) const { deliver(base::as_bytes(name), folder_ / kPosition); }

std::optional<std::string> LookAhead::position() const { return base::read_file_if_exists(folder_ / kPosition, {4096}); }

void LookAhead::clean(const postgres::WalSegment& current, std::uint64_t segment_size) const {
    std::error_code error;
    for (fs::directory_iterator entry(parent_, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(owner_) && entry->path() != folder_) remove_quietly(entry->path());
    }
    error.clear();
    for (fs::directory_iterator entry(folder_, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name == kPosition || name == beside(kPosition) || name == kLock) continue;
        const auto segment = postgres::parse_segment_name(name, segment_size);
        if (!segment || segment->number < current.number) remove_quietly(entry->path());
    }
}

}  // namespace howdah::archive
