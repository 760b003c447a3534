#include "repository/sealing.hpp"

#include <xxhash.h>

#include <algorithm>

#include "base/file.hpp"
#include "repository/crypto.hpp"

namespace howdah::repository {

namespace {

std::string with_purpose(std::string_view purpose, std::span<const std::byte> content) {
    std::string bytes;
    bytes.reserve(purpose.size() + 1 + content.size());
    bytes.append(purpose).push_back('\0');
    bytes.append(base::as_text(content));
    return bytes;
}

}  // namespace

std::string_view word(Kind kind) {
    switch (kind) {
        case Kind::pack: return "pack";
        case Kind::root: return "root";
        case Kind::tree: return "tree";
        case Kind::map: return "map";
        case Kind::wal: return "wal";
        case Kind::history: return "history";
        case Kind::lease: return "lease";
        case Kind::event: return "event";
        case Kind::ledger: return "ledger";
        case Kind::doomed: return "doomed";
        case Kind::summary: return "summary";
    }
    return "unknown";
}

DataKey::DataKey(Sealing sealing, std::span<const std::byte, 32> secret) : sealing_(sealing) {
    std::ranges::copy(secret, secret_.begin());
    name_key_ = derive({}, "names");
    crypto::hkdf(secret_, {}, "howdah/1/blocks", hash_secret_);
}

DataKey::~DataKey() {
    crypto::wipe(secret_);
    crypto::wipe(name_key_);
    crypto::wipe(hash_secret_);
}

std::array<std::byte, 32> DataKey::derive(std::span<const std::byte> salt, std::string_view purpose) const {
    crypto::Key key;
    crypto::hkdf(secret_, salt, "howdah/1/" + std::string(purpose), key);
    return key;
}

std::string DataKey::content_name(std::string_view purpose, std::span<const std::byte> content) const {
    const crypto::Key tag = crypto::hmac(name_key_, base::as_bytes(with_purpose(purpose, content)));
    return crypto::to_hex(std::span(tag).first(16));
}

std::string DataKey::document_hash(Kind kind, std::string_view document) const {
    return crypto::to_hex(crypto::hmac(name_key_, base::as_bytes(with_purpose(word(kind), base::as_bytes(document)))));
}

std::array<std::byte, 32> DataKey::mac(std::string_view purpose, std::span<const std::byte> content) const {
    crypto::Key key = derive({}, purpose);
    const crypto::Key tag = crypto::hmac(key, content);
    crypto::wipe(key);
    return tag;
}

std::uint64_t DataKey::block_hash(std::span<const std::byte> block) const {
    return XXH3_64bits_withSecret(block.data(), block.size(), hash_secret_.data(), hash_secret_.size());
}

}  // namespace howdah::repository
