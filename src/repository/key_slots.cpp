#include "repository/key_slots.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "repository/key_cache.hpp"

namespace howdah::repository {

using base::Failure;
using base::FailureKind;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr std::string_view kTagKey = ",\"tag\":\"";
constexpr std::string_view kLineEnd = "\"}\n";
constexpr std::size_t kTagDigits = 64;
constexpr base::Bytes kLongestLine{64u << 10};

std::string sealing_word(Sealing sealing) { return sealing == Sealing::none ? "none" : "aes-256-gcm"; }

std::string tag_of(std::string_view body, const std::string& name, const DataKey& key) {
    std::string content = name;
    content.push_back('\0');
    content.append(body);
    return crypto::to_hex(key.mac("slots", base::as_bytes(content)));
}

std::string finish_line(const ordered_json& document, const std::string& name, const DataKey& key) {
    std::string body = document.dump();
    body.pop_back();
    return body + std::string(kTagKey) + tag_of(body, name, key) + std::string(kLineEnd);
}

/// The line up to its tag; none when it does not end as one does.
std::optional<std::string_view> body_of(std::string_view line) {
    const std::size_t tail = kTagKey.size() + kTagDigits + kLineEnd.size();
    if (line.size() <= tail || !line.ends_with(kLineEnd)) return std::nullopt;
    const std::string_view body = line.substr(0, line.size() - tail);
    if (line.substr(body.size(), kTagKey.size()) != kTagKey) return std::nullopt;
    return body;
}

std::optional<json> parse_line(std::string_view line, std::string_view what) {
    if (!body_of(line) || line.find('\n') != line.size() - 1) return std::nullopt;
    json document = json::parse(line, nullptr, false);
    if (!document.is_object() || document.value("howdah", json()) != what || document.value("format", json()) != 1) return std::nullopt;
    return document;
}

bool hex_member(const json& document, const char* key, std::span<std::byte> out) {
    const auto found = document.find(key);
    return found != document.end() && found->is_string() && crypto::from_hex(found->get_ref<const std::string&>(), out);
}

std::string associated_of(const std::string& id, std::uint64_t number) {
    std::string associated = id;
    associated.push_back('\0');
    return associated + std::to_string(number);
}

crypto::Key wrapping_key(const KeySlot& slot, const Credentials& with) {
    crypto::Key key;
    if (slot.passphrase)
        crypto::scrypt(*with.passphrase, slot.salt, slot.cost, key);
    else
        crypto::hkdf(*with.file_key, slot.salt, "howdah/1/slot", key);
    return key;
}

bool open_slot(const KeySlot& slot, const std::string& id, const Credentials& with, crypto::Key& data_key) {
    crypto::Key key = wrapping_key(slot, with);
    const bool opened = crypto::unwrap(key, slot.nonce, associated_of(id, slot.number), slot.wrapped, data_key);
    crypto::wipe(key);
    return opened;
}

/// A passphrase's scrypt takes most of a second, so what it unlocked is kept for the user.
bool open_passphrase_slot(const KeySlot& slot, std::string_view line, const std::string& id, const Credentials& with,
                          crypto::Key& data_key) {
    const KeyCache cache(id, line);
    if (cache.find(*with.passphrase, data_key)) return true;
    if (!open_slot(slot, id, with, data_key)) return false;
    cache.keep(*with.passphrase, data_key);
    return true;
}

}  // namespace

std::string slot_name(std::uint64_t number) { return fmt::format("{}{:08}", kSlotPrefix, number); }

std::string encode_marker(const Marker& marker, base::Timestamp created, const DataKey& key) {
    const ordered_json document = {{"howdah", "repository"},
                                   {"format", 1},
                                   {"id", marker.id},
                                   {"sealing", sealing_word(marker.sealing)},
                                   {"created", base::text(created)}};
    return finish_line(document, kMarkerName, key);
}

std::string encode_slot(const KeySlot& slot, base::Timestamp created, const DataKey& key) {
    ordered_json document = {{"howdah", "key"},
                             {"format", 1},
                             {"slot", slot.number},
                             {"kind", slot.passphrase ? "passphrase" : "file"},
                             {"salt", crypto::to_hex(slot.salt)}};
    if (slot.passphrase) document["scrypt"] = {{"n", slot.cost.n}, {"r", slot.cost.r}, {"p", slot.cost.p}};
    document["nonce"] = crypto::to_hex(slot.nonce);
    document["wrapped"] = crypto::to_hex(slot.wrapped);
    document["created"] = base::text(created);
    return finish_line(document, slot_name(slot.number), key);
}

std::optional<Marker> parse_marker(std::string_view line) {
    const auto document = parse_line(line, "repository");
    std::array<std::byte, 16> id;
    if (!document || !hex_member(*document, "id", id)) return std::nullopt;
    const json sealing = document->value("sealing", json());
    if (sealing != "none" && sealing != "aes-256-gcm") return std::nullopt;
    return Marker{crypto::to_hex(id), sealing == "none" ? Sealing::none : Sealing::aes_256_gcm};
}

std::optional<KeySlot> parse_slot(std::string_view line) {
    const auto document = parse_line(line, "key");
    KeySlot slot;
    if (!document || !hex_member(*document, "salt", slot.salt) || !hex_member(*document, "nonce", slot.nonce) ||
        !hex_member(*document, "wrapped", slot.wrapped))
        return std::nullopt;
    const auto number_in = [](const json& object, const char* key) {
        return object.contains(key) && object[key].is_number_unsigned() ? object[key].get<std::uint64_t>() : 0;
    };
    slot.number = number_in(*document, "slot");
    const json kind = document->value("kind", json());
    if (slot.number == 0 || (kind != "file" && kind != "passphrase")) return std::nullopt;
    slot.passphrase = kind == "passphrase";
    if (!slot.passphrase) return slot;
    const json cost = document->value("scrypt", json());
    slot.cost = {number_in(cost, "n"), static_cast<std::uint32_t>(std::min<std::uint64_t>(number_in(cost, "r"), 1000)),
                 static_cast<std::uint32_t>(std::min<std::uint64_t>(number_in(cost, "p"), 1000))};
    return slot;
}

bool tag_fits(std::string_view line, const std::string& name, const DataKey& key) {
    const auto body = body_of(line);
    if (!body) return false;
    const std::string expected = tag_of(*body, name, key);
    return crypto::equal(base::as_bytes(expected), base::as_bytes(line.substr(body->size() + kTagKey.size(), kTagDigits)));
}

KeySlot wrap_data_key(std::uint64_t number, const crypto::Key& data_key, const std::string& id, const Credentials& with, bool passphrase) {
    KeySlot slot;
    slot.number = number;
    slot.passphrase = passphrase;
    base::fill_random(slot.salt);
    base::fill_random(slot.nonce);
    crypto::Key key = wrapping_key(slot, with);
    const std::string wrapped = crypto::wrap(key, slot.nonce, associated_of(id, number), data_key);
    crypto::wipe(key);
    std::ranges::copy(base::as_bytes(wrapped), slot.wrapped.begin());
    return slot;
}

namespace {

/// Why a slot does not open; none when it did. Whether it was the store that failed is added to `unreadable`.
std::optional<std::string> try_slot(storage::Store& store, const std::string& name, const std::string& id, const Credentials& with,
                                    crypto::Key& data_key, bool& unreadable) {
    try {
        const auto line = store.get(name, kLongestLine);
        if (!line) return "is missing";
        const auto slot = parse_slot(*line);
        if (!slot || name != slot_name(slot->number)) return "is a damaged key slot";
        if (slot->passphrase && !with.passphrase) return "is for a passphrase, and none is configured";
        if (!slot->passphrase && !with.file_key) return "is for a key file, and none is configured";
        const bool opened =
            slot->passphrase ? open_passphrase_slot(*slot, *line, id, with, data_key) : open_slot(*slot, id, with, data_key);
        if (opened) return std::nullopt;
        return fmt::format("is not opened by the {}", slot->passphrase ? "passphrase" : "key file");
    } catch (const Failure& failure) {
        unreadable = unreadable || failure.kind() == FailureKind::repository;
        return fmt::format("cannot be tried: {}", failure.what());
    }
}

}  // namespace

crypto::Key unencrypted_key(const std::string& id) { return crypto::sha256(base::as_bytes("howdah unencrypted " + id)); }

crypto::Key unlock(storage::Store& store, const std::string& id, const Credentials& with) {
    std::vector<std::string> names;
    store.list(kSlotPrefix, [&](const storage::Listed& listed) { names.push_back(listed.name); });
    std::string reasons;
    bool wrong_key = true, unreadable = false;
    for (const std::string& name : names) {
        crypto::Key data_key;
        const auto reason = try_slot(store, name, id, with, data_key, unreadable);
        if (!reason) return data_key;
        base::log_debug("key slot {} {}", name, *reason);
        reasons += fmt::format("{}{} {}", reasons.empty() ? "" : "; ", name, *reason);
        wrong_key = wrong_key && reason->starts_with("is not opened");
    }
    store.exists(kMarkerName);  // An outage says so, and is no wrong key.
    if (names.empty()) reasons = "there is no key slot";
    if (wrong_key && !names.empty())
        throw Failure(FailureKind::configuration, fmt::format("wrong key for the repository at {}: {}", store.location(), reasons),
                      "use the key that repo init made for this repository; if it is that one, the slots or the marker were changed");
    throw Failure(unreadable ? FailureKind::repository : FailureKind::configuration,
                  fmt::format("repository at {} cannot be unlocked: {}", store.location(), reasons),
                  "use the key of another slot, or put the slot back from another copy of the repository");
}

}  // namespace howdah::repository
