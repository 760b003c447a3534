#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace howdah::repository::crypto {

using Key = std::array<std::byte, 32>;

/// HMAC-SHA256 (RFC 2104).
Key hmac(std::span<const std::byte> key, std::span<const std::byte> content);
Key sha256(std::span<const std::byte> content);
/// HKDF-SHA256 (RFC 5869) of any length up to 255 * 32 bytes; an empty salt counts as 32 zeros.
void hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt, std::string_view info, std::span<std::byte> out);

/// Cost of scrypt (RFC 7914).
struct ScryptCost {
    std::uint64_t n = 131072;
    std::uint32_t r = 8, p = 1;
};
/// Refuses costs that need more than 1 GiB: they come from a file.
void scrypt(std::string_view passphrase, std::span<const std::byte> salt, const ScryptCost& cost, std::span<std::byte> out);

/// AES-256-GCM of a short secret: cipher text with its 16-byte tag behind it.
std::string wrap(const Key& key, std::span<const std::byte, 12> nonce, std::string_view associated, std::span<const std::byte> secret);
/// False when the tag does not fit; `secret` is then untouched.
bool unwrap(const Key& key, std::span<const std::byte, 12> nonce, std::string_view associated, std::span<const std::byte> wrapped,
            std::span<std::byte> secret);

void wipe(std::span<std::byte> secret);
bool equal(std::span<const std::byte> a, std::span<const std::byte> b);

std::string to_hex(std::span<const std::byte> bytes);
/// False when it is not lower-case hex of exactly `out.size()` bytes.
bool from_hex(std::string_view text, std::span<std::byte> out);
std::string to_base64(std::span<const std::byte> bytes);
/// False when it is not the base64 form of exactly `out.size()` bytes.
bool from_base64(std::string_view text, std::span<std::byte> out);

}  // namespace howdah::repository::crypto
