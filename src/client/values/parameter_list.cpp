#include "howdah/parameter_list.hpp"

#include <cstring>
#include <limits>
#include <utility>

namespace howdah::inline v0 {

namespace {

/// The protocol counts parameters in 16 bits, and libpq lengths in an int.
constexpr std::size_t kMostParameters = 65535;
constexpr std::size_t kLongest = std::numeric_limits<int>::max();

}  // namespace

void ParameterList::put_more(const char* value, std::size_t size, std::uint32_t type, bool binary) {
    if (!more_) {
        more_ = std::make_unique<More>();
        more_->values.assign(values_.begin(), values_.end());
        more_->lengths.assign(lengths_.begin(), lengths_.end());
        more_->formats.assign(formats_.begin(), formats_.end());
        more_->types.assign(types_.begin(), types_.end());
    }
    more_->values.push_back(value);
    more_->lengths.push_back(static_cast<int>(size));
    more_->formats.push_back(binary ? 1 : 0);
    more_->types.push_back(type);
    if (++size_ == kMostParameters + 1) fail("a statement takes at most 65535 parameters: more were given", "pass an array");
}

char* ParameterList::new_block(std::size_t size) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    return blocks_.back().get();
}

void ParameterList::add_binary(const char* bytes, std::size_t size, std::uint32_t type) {
    if (size > kLongest) return too_long(size);
    // A null pointer would be NULL; nothing is not.
    put(bytes != nullptr ? bytes : "", size, type, true);
}

void ParameterList::add_text(const char* text, std::size_t size, std::uint32_t type) {
    if (size > kLongest) return too_long(size);
    if (const void* zero = std::memchr(text, 0, size)) {
        const auto at = static_cast<const char*>(zero) - text;
        return fail("text holds a zero byte, which no text of the server can: at byte " + std::to_string(at), "send it as bytea");
    }
    put(text, size, type, false);
}

void ParameterList::add_text_copy(std::string_view text, std::uint32_t type) {
    if (text.size() > kLongest) return too_long(text.size());
    char* copy = room_for(text.size() + 1);
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    add_text(copy, text.size(), type);
}

void ParameterList::too_long(std::size_t size) {
    fail("a value is longer than the protocol can carry: " + std::to_string(size) + " bytes", "send it in pieces");
}

void ParameterList::fail(std::string_view why, std::string hint) {
    std::string which = "parameter $" + std::to_string(size_ + 1) + ": ";
    if (!error_) error_.emplace(Phase::encode, Cause::usage, ErrorText{which.append(why), {}, std::move(hint), {}});
    put(nullptr, 0, 0, false);
}

void ParameterList::clear() noexcept {
    size_ = used_ = 0;
    more_.reset();
    blocks_.clear();
}

void ArrayParameter::append_big_endian(std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(number >> shift & 0xff);
}

/// The binary form (array_recv) begins with 20 bytes: dimensions, whether there are NULLs, the elements' type, and for the one dimension
/// its length and first index.
void ArrayParameter::begin(bool binary) {
    begun_ = true;
    binary_ = binary;
    bytes_.reserve(64);
    if (binary) bytes_.assign(20, '\0');
    const std::uint32_t nulls = count_;
    for (std::uint32_t null = 0; null < nulls; ++null) {
        if (binary) append_big_endian(0xffff'ffff);
        if (!binary) bytes_ += null == 0 ? "{NULL" : ",NULL";
    }
}

void ArrayParameter::append_quoted(std::string_view text) {
    bytes_ += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') bytes_ += '\\';
        bytes_ += c;
    }
    bytes_ += '"';
}

void ArrayParameter::take() {
    if (one_.error() || one_.size() != 1) return;
    const char* data = one_.values()[0];
    const auto size = static_cast<std::size_t>(one_.lengths()[0]);
    if (data == nullptr) {
        nulls_ = true;
        if (begun_ && binary_) append_big_endian(0xffff'ffff);
        if (begun_ && !binary_) bytes_ += ",NULL";
    } else {
        const bool binary = one_.formats()[0] == 1;
        if (!begun_) begin(binary);
        if (binary) {
            element_type_ = one_.types()[0];
            append_big_endian(static_cast<std::uint32_t>(size));
            bytes_.append(data, size);
        } else {
            bytes_ += count_ == 0 ? '{' : ',';
            append_quoted({data, size});
        }
    }
    ++count_;
    one_.clear();
}

void ArrayParameter::finish(ParameterList& list) {
    if (one_.error()) {
        const std::string& message = one_.error()->message();
        return list.fail("element " + std::to_string(count_ + 1) + message.substr(message.find(':')), one_.error()->hint());
    }
    if (!begun_) begin(false);
    if (binary_) {
        std::size_t at = 0;
        for (const std::uint32_t word : {1U, nulls_ ? 1U : 0U, element_type_, count_, 1U})
            for (int shift = 24; shift >= 0; shift -= 8) bytes_[at++] = static_cast<char>(word >> shift & 0xff);
        if (bytes_.size() > kLongest) return list.too_long(bytes_.size());
        return list.add_binary_copy(bytes_.data(), bytes_.size(), type_);
    }
    bytes_ += count_ == 0 ? "{}" : "}";
    list.add_text_copy(bytes_, type_);
}

}  // namespace howdah::inline v0
