#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "base/units.hpp"
#include "repository/crypto.hpp"
#include "repository/sealing.hpp"
#include "storage/store.hpp"

namespace howdah::repository {

inline constexpr const char* kMarkerName = "repository";
inline constexpr const char* kSlotPrefix = "key/";

/// What this place is.
struct Marker {
    std::string id;
    Sealing sealing = Sealing::none;
};

/// The data key wrapped for one key file or passphrase.
struct KeySlot {
    std::uint64_t number = 1;
    bool passphrase = false;
    std::array<std::byte, 32> salt{};
    crypto::ScryptCost cost;
    std::array<std::byte, 12> nonce{};
    std::array<std::byte, 48> wrapped{};
};

/// What the configuration gives to unlock a repository with. Wiped at the end.
struct Credentials {
    std::optional<crypto::Key> file_key;
    std::optional<std::string> passphrase;
    Credentials() = default;
    Credentials(Credentials&&) = default;
    ~Credentials();
};
bool credentials_configured(const base::RepositoryConfig& config);
/// Reads key file and passphrase; Failure(configuration) for what is missing or malformed.
Credentials read_credentials(const base::RepositoryConfig& config);
/// Makes a key file (0600, durable, never over another); false when one was there, which is checked to be valid.
bool make_key_file(const std::filesystem::path& path);

/// The lines as they are stored; their tags are made with `key`.
std::string encode_marker(const Marker& marker, base::Timestamp created, const DataKey& key);
std::string encode_slot(const KeySlot& slot, base::Timestamp created, const DataKey& key);
/// None when the line is not one.
std::optional<Marker> parse_marker(std::string_view line);
std::optional<KeySlot> parse_slot(std::string_view line);
/// Whether the tag of a marker's or slot's line was made under this key for this object name.
bool tag_fits(std::string_view line, const std::string& name, const DataKey& key);

std::string slot_name(std::uint64_t number);
KeySlot wrap_data_key(std::uint64_t number, const crypto::Key& data_key, const std::string& id, const Credentials& with, bool passphrase);
/// What a repository without encryption has in a data key's place; no secret.
crypto::Key unencrypted_key(const std::string& id);
/// Tries all slots, whatever is wrong with one of them; Failure(configuration) with the reason of each when none opens.
crypto::Key unlock(storage::Store& store, const std::string& id, const Credentials& with);

}  // namespace howdah::repository
