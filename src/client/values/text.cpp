#include <algorithm>
#include <array>
#include <string>

#include "client/values/bytes.hpp"
#include "howdah/codec.hpp"

namespace howdah::inline v0 {

namespace {

using Bytes = std::vector<std::byte>;

std::optional<Bytes> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    Bytes bytes(digits.size() / 2);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const auto high = hex_digit(digits[2 * at]);
        const auto low = hex_digit(digits[2 * at + 1]);
        if (!high || !low) return std::nullopt;
        bytes[at] = static_cast<std::byte>(*high << 4 | *low);
    }
    return bytes;
}

/// bytea_output = escape: a backslash is doubled, other bytes are themselves or \ooo.
std::optional<Bytes> from_escapes(std::string_view text) {
    Bytes bytes;
    bytes.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            bytes.push_back(static_cast<std::byte>(text[at]));
        } else if (text.substr(at + 1, 1) == "\\") {
            bytes.push_back(std::byte{'\\'});
            ++at;
        } else {
            unsigned value = 0;
            const std::string_view octal = text.substr(at + 1, 3);
            if (octal.size() != 3 || octal[0] > '3') return std::nullopt;
            for (const char c : octal) {
                if (c < '0' || c > '7') return std::nullopt;
                value = value * 8 + static_cast<unsigned>(c - '0');
            }
            bytes.push_back(static_cast<std::byte>(value));
            at += 3;
        }
    }
    return bytes;
}

std::optional<Uuid> uuid_of(std::string_view text) {
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
    Uuid uuid;
    std::size_t digits = 0;
    bool parted = true;
    for (const char c : text) {
        if (c == '-' && !parted && digits % 4 == 0) {
            parted = true;
            continue;
        }
        const auto digit = hex_digit(c);
        if (!digit || digits == 32) return std::nullopt;
        auto& byte = uuid.bytes[digits / 2];
        byte = byte << 4 | static_cast<std::byte>(*digit);
        ++digits;
        parted = false;
    }
    return digits == 32 && !parted ? std::optional(uuid) : std::nullopt;
}

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
    if (const auto uuid = uuid_of(text)) return *uuid;
    return Error(Phase::encode, Cause::usage,
                 {"not a uuid: " + std::string(text.substr(0, 40)) + (text.size() > 40 ? "…" : ""), {}, "give 32 hexadecimal digits", {}});
}

std::string Uuid::text() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (at == 4 || at == 6 || at == 8 || at == 10) text += '-';
        text += kDigits[std::to_integer<unsigned>(bytes[at]) >> 4];
        text += kDigits[std::to_integer<unsigned>(bytes[at]) & 15];
    }
    return text;
}

namespace codec {

Result<std::string_view> read_text(const Cell& cell) {
    constexpr std::array kTexts{type::kText, type::kVarchar, type::kBpchar, type::kName,
                                type::kJson, type::kXml,     type::kChar,   type::kUnknown};
    if (cell.binary && std::find(kTexts.begin(), kTexts.end(), cell.type) == kTexts.end())
        return type_error(cell, "text", "text, varchar, char, name, json and xml when the answer is in binary form");
    return cell.bytes();
}

Result<std::vector<std::byte>> read_bytes(const Cell& cell) {
    if (cell.type != type::kBytea) return type_error(cell, "bytes", "bytea");
    const std::string_view text = cell.bytes();
    if (cell.binary) {
        const auto* first = reinterpret_cast<const std::byte*>(text.data());
        return Bytes(first, first + text.size());
    }
    auto bytes = text.substr(0, 2) == "\\x" ? from_hex(text.substr(2)) : from_escapes(text);
    if (!bytes) return value_error(cell, "bytes");
    return std::move(*bytes);
}

Result<Uuid> read_uuid(const Cell& cell) {
    if (cell.type != type::kUuid) return type_error(cell, "a uuid", "uuid");
    if (cell.binary) {
        Uuid uuid;
        if (cell.size != uuid.bytes.size()) return value_error(cell, "a uuid");
        std::memcpy(uuid.bytes.data(), cell.data, cell.size);
        return uuid;
    }
    const auto uuid = uuid_of(cell.bytes());
    if (!uuid) return value_error(cell, "a uuid");
    return *uuid;
}

Result<Json> read_json(const Cell& cell) {
    if (cell.type != type::kJson && cell.type != type::kJsonb) return type_error(cell, "json", "json and jsonb");
    std::string_view text = cell.bytes();
    if (cell.binary && cell.type == type::kJsonb) {
        // jsonb_send: a version byte, always 1, before the text.
        if (text.empty() || text.front() != '\1') return value_error(cell, "jsonb of version 1");
        text.remove_prefix(1);
    }
    return Json{std::string(text)};
}

void write_bytes(ParameterList& list, std::span<const std::byte> bytes) {
    list.add_binary(reinterpret_cast<const char*>(bytes.data()), bytes.size(), type::kBytea);
}

void write_c_string(ParameterList& list, const char* text) {
    if (text == nullptr) return list.fail("text is expected: a null pointer", "give std::nullopt for NULL");
    list.add_text(text, std::strlen(text));
}

}  // namespace codec
}  // namespace howdah::inline v0
