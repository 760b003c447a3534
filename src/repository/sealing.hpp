#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace howdah::repository {

/// What an object is; the number stands in its header and the word in its key's derivation (docs/internals/repository.md).
enum class Kind : std::uint8_t {
    pack = 1,
    root = 2,
    tree = 3,
    map = 4,
    wal = 5,
    history = 6,
    lease = 7,
    event = 8,
    ledger = 9,
    doomed = 10,
    summary = 11
};
std::string_view word(Kind kind);

enum class Sealing : std::uint8_t { none = 0, aes_256_gcm = 1 };

/// The repository's data key and what is derived from it once. Wiped from memory at the end. Shared read-only by all threads.
class DataKey {
public:
    /// `sealing` none: keys are derived from the repository's id, which protects against accidents only.
    DataKey(Sealing sealing, std::span<const std::byte, 32> secret);
    ~DataKey();
    DataKey(const DataKey&) = delete;
    DataKey& operator=(const DataKey&) = delete;

    Sealing sealing() const { return sealing_; }
    std::span<const std::byte, 32> secret() const { return secret_; }
    /// HKDF-SHA256(secret, salt, "howdah/1/" + purpose).
    std::array<std::byte, 32> derive(std::span<const std::byte> salt, std::string_view purpose) const;
    /// HMAC-SHA256 under the derived name key, first 16 bytes as lower-case hex: names of trees and maps.
    std::string content_name(std::string_view purpose, std::span<const std::byte> content) const;
    /// The same over all 32 bytes with the kind's word as purpose: how one document names another.
    std::string document_hash(Kind kind, std::string_view document) const;
    /// HMAC-SHA256 under the key derived for `purpose`.
    std::array<std::byte, 32> mac(std::string_view purpose, std::span<const std::byte> content) const;
    /// Keyed XXH3-64 of a block, for the pack's block hashes.
    std::uint64_t block_hash(std::span<const std::byte> block) const;

private:
    Sealing sealing_;
    std::array<std::byte, 32> secret_;
    std::array<std::byte, 32> name_key_;
    std::array<std::byte, 192> hash_secret_;
};

}  // namespace howdah::repository
