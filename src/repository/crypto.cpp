#include "repository/crypto.hpp"

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/failure.hpp"
#include "base/file.hpp"

namespace howdah::repository::crypto {

using base::Failure;
using base::FailureKind;

namespace {

unsigned char* raw(std::span<std::byte> bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(std::span<const std::byte> bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

[[noreturn]] void fail(const char* what) {
    char reason[256] = "";
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    throw Failure(FailureKind::operation, fmt::format("{} failed in OpenSSL: {}", what, reason),
                  "check this host's OpenSSL and its free memory");
}

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
CipherContext new_context() {
    CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    if (!context) fail("AES-256-GCM");
    return context;
}

}  // namespace

Key hmac(std::span<const std::byte> key, std::span<const std::byte> content) {
    Key result;
    unsigned length = 0;
    if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(content), content.size(), raw(std::span<std::byte>(result)),
              &length))
        fail("HMAC-SHA256");
    return result;
}

Key sha256(std::span<const std::byte> content) {
    Key result;
    if (!SHA256(raw(content), content.size(), raw(std::span<std::byte>(result)))) fail("SHA-256");
    return result;
}

void hkdf(std::span<const std::byte> secret, std::span<const std::byte> salt, std::string_view info, std::span<std::byte> out) {
    const Key no_salt{};
    Key extracted = hmac(salt.empty() ? std::span<const std::byte>(no_salt) : salt, secret);
    std::string block;
    std::uint8_t counter = 0;
    Key previous;
    while (!out.empty()) {
        block.assign(counter == 0 ? std::string_view() : base::as_text(previous));
        block.append(info).push_back(static_cast<char>(++counter));
        previous = hmac(extracted, base::as_bytes(block));
        const std::size_t part = std::min(out.size(), previous.size());
        std::copy_n(previous.begin(), part, out.begin());
        out = out.subspan(part);
    }
    wipe(extracted);
    wipe(previous);
    wipe(std::as_writable_bytes(std::span(block)));
}

void scrypt(std::string_view passphrase, std::span<const std::byte> salt, const ScryptCost& cost, std::span<std::byte> out) {
    constexpr std::uint64_t kLimit = 1u << 30;
    const bool power = cost.n > 1 && (cost.n & (cost.n - 1)) == 0;
    if (!power || cost.r == 0 || cost.p == 0 || cost.r > 64 || cost.p > 64 || cost.n > kLimit / 128 / cost.r)
        throw Failure(FailureKind::configuration, fmt::format("scrypt's cost is not acceptable: n={} r={} p={}", cost.n, cost.r, cost.p),
                      "the key slot was changed, or needs more than 1 GiB of memory");
    if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), raw(salt), salt.size(), cost.n, cost.r, cost.p, kLimit + (64u << 20), raw(out),
                       out.size()) != 1)
        fail("scrypt");
}

std::string wrap(const Key& key, std::span<const std::byte, 12> nonce, std::string_view associated, std::span<const std::byte> secret) {
    const auto context = new_context();
    std::string out(secret.size() + 16, '\0');
    auto* bytes = reinterpret_cast<unsigned char*>(out.data());
    int length = 0;
    if (EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(std::span<const std::byte>(key)),
                           raw(std::span<const std::byte>(nonce))) != 1 ||
        EVP_EncryptUpdate(context.get(), nullptr, &length, raw(associated), static_cast<int>(associated.size())) != 1 ||
        EVP_EncryptUpdate(context.get(), bytes, &length, raw(secret), static_cast<int>(secret.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), bytes + length, &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, bytes + secret.size()) != 1)
        fail("AES-256-GCM");
    return out;
}

bool unwrap(const Key& key, std::span<const std::byte, 12> nonce, std::string_view associated, std::span<const std::byte> wrapped,
            std::span<std::byte> secret) {
    if (wrapped.size() != secret.size() + 16) return false;
    const auto context = new_context();
    std::string plain(secret.size(), '\0');
    std::string tag(base::as_text(wrapped.last(16)));
    auto* bytes = reinterpret_cast<unsigned char*>(plain.data());
    int length = 0;
    if (EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, raw(std::span<const std::byte>(key)),
                           raw(std::span<const std::byte>(nonce))) != 1 ||
        EVP_DecryptUpdate(context.get(), nullptr, &length, raw(associated), static_cast<int>(associated.size())) != 1 ||
        EVP_DecryptUpdate(context.get(), bytes, &length, raw(wrapped), static_cast<int>(secret.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data()) != 1)
        fail("AES-256-GCM");
    const bool fits = EVP_DecryptFinal_ex(context.get(), bytes + length, &length) == 1;
    if (fits) std::memcpy(secret.data(), plain.data(), plain.size());
    wipe(std::as_writable_bytes(std::span(plain)));
    return fits;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

bool equal(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte b : bytes) {
        text.push_back(digits[std::to_integer<unsigned>(b) >> 4]);
        text.push_back(digits[std::to_integer<unsigned>(b) & 15]);
    }
    return text;
}

bool from_hex(std::string_view text, std::span<std::byte> out) {
    if (text.size() != out.size() * 2) return false;
    const auto digit = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::byte>(high << 4 | low);
    }
    return true;
}

std::string to_base64(std::span<const std::byte> bytes) {
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    std::string buffer(text.size() + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(buffer.data()), raw(bytes), static_cast<int>(bytes.size()));
    buffer.pop_back();
    return buffer;
}

bool from_base64(std::string_view text, std::span<std::byte> out) {
    if (text.size() != (out.size() + 2) / 3 * 4) return false;
    std::string buffer(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(buffer.data()), raw(text), static_cast<int>(text.size())) < 0) return false;
    const auto decoded = base::as_bytes(buffer).first(out.size());
    const bool canonical = to_base64(decoded) == text;
    if (canonical) std::ranges::copy(decoded, out.begin());
    wipe(std::as_writable_bytes(std::span(buffer)));
    return canonical;
}

}  // namespace howdah::repository::crypto
