#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "repository/crypto.hpp"

namespace howdah::repository {

/// Keeps what a passphrase unlocked, so that scrypt runs once a boot and not once a command. The file (0600) holds the data key wrapped
/// under HKDF(passphrase, random salt): whoever reads it can try passphrases quickly, which is why nobody else may read it and why it
/// lies in memory only, never on a disk that may be copied: in $XDG_RUNTIME_DIR/howdah or else /dev/shm/howdah-UID, each used only
/// when it is a tmpfs folder of this user alone. Without the passphrase it opens nothing. It is bound to the slot's line, so that a slot
/// that was taken away takes its cache with it. Failing to keep is not a failure.
class KeyCache {
public:
    KeyCache(const std::string& repository_id, std::string_view slot_line);
    bool find(std::string_view passphrase, crypto::Key& data_key) const;
    void keep(std::string_view passphrase, const crypto::Key& data_key) const;

private:
    std::string associated_;
    std::filesystem::path path_;  ///< Empty: nowhere to keep it.
};

}  // namespace howdah::repository
