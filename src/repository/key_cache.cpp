#include "repository/key_cache.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace howdah::repository {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSaltBytes = 32, kNonceBytes = 12, kWrappedBytes = 48;
constexpr std::size_t kFileBytes = kSaltBytes + kNonceBytes + kWrappedBytes;

/// Whether the folder lies in memory.
bool in_memory(const fs::path& folder) {
    constexpr long kTmpfs = 0x01021994, kRamfs = 0x858458f6;  // statfs(2)
    struct statfs system{};
    return ::statfs(folder.c_str(), &system) == 0 && (system.f_type == kTmpfs || system.f_type == kRamfs);
}

/// Whether only this user can look into the folder or change it; a link to one is none.
bool is_private(const fs::path& folder) {
    struct stat status{};
    return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 077) == 0;
}

/// Whether others may make folders beside ours but not exchange ours.
bool is_sticky(const fs::path& folder) {
    struct stat status{};
    return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == 0 && (status.st_mode & S_ISVTX) != 0;
}

/// The folder when it is, or could be made, a private one in memory.
fs::path usable(const fs::path& folder) {
    if (!in_memory(folder.parent_path())) return {};
    ::mkdir(folder.c_str(), 0700);
    return is_private(folder) && in_memory(folder) ? folder : fs::path();
}

fs::path cache_folder() {
    const char* name = std::getenv("XDG_RUNTIME_DIR");
    const fs::path runtime = name ? name : "";
    if (runtime.is_absolute() && is_private(runtime))
        if (const fs::path folder = usable(runtime / "howdah"); !folder.empty()) return folder;
    const fs::path shared = "/dev/shm";
    if (!is_sticky(shared)) return {};
    return usable(shared / fmt::format("howdah-{}", ::geteuid()));
}

/// The content of a file that only this user can read or replace.
std::string read_private(const fs::path& path) {
    const base::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.descriptor(), &status) != 0) return {};
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0 || status.st_size != kFileBytes) return {};
    std::string content(kFileBytes, '\0');
    content.resize(file.read_at(std::as_writable_bytes(std::span(content)), 0));
    return content;
}

crypto::Key cache_key(std::string_view passphrase, std::span<const std::byte> salt) {
    crypto::Key key;
    crypto::hkdf(base::as_bytes(passphrase), salt, "howdah/1/cache", key);
    return key;
}

}  // namespace

KeyCache::KeyCache(const std::string& repository_id, std::string_view slot_line) : associated_(repository_id) {
    associated_.push_back('\0');
    associated_.append(slot_line);
    if (const fs::path folder = cache_folder(); !folder.empty()) path_ = folder / (repository_id + ".key");
}

bool KeyCache::find(std::string_view passphrase, crypto::Key& data_key) const {
    if (path_.empty()) return false;
    const std::string content = read_private(path_);
    if (content.size() != kFileBytes) return false;
    const auto bytes = base::as_bytes(content);
    crypto::Key key = cache_key(passphrase, bytes.first(kSaltBytes));
    const bool opened = crypto::unwrap(key, bytes.subspan<kSaltBytes, kNonceBytes>(), associated_, bytes.last(kWrappedBytes), data_key);
    crypto::wipe(key);
    return opened;
}

void KeyCache::keep(std::string_view passphrase, const crypto::Key& data_key) const {
    if (path_.empty()) return base::log_debug("unlocked key is not cached: there is no private folder in memory");
    std::string content(kSaltBytes + kNonceBytes, '\0');
    base::fill_random(std::as_writable_bytes(std::span(content)));
    const auto bytes = base::as_bytes(content);
    crypto::Key key = cache_key(passphrase, bytes.first(kSaltBytes));
    const std::string wrapped = crypto::wrap(key, bytes.subspan<kSaltBytes, kNonceBytes>(), associated_, data_key);
    crypto::wipe(key);
    try {
        base::write_file_durably(path_, content + wrapped, 0600);
    } catch (const base::Failure& failure) {
        base::log_debug("unlocked key is not cached: {}", failure.what());
    }
}

}  // namespace howdah::repository
