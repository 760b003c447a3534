#include <string>

#include "client/values/bytes.hpp"
#include "howdah/codec.hpp"

namespace howdah::inline v0::codec {

namespace {

constexpr std::string_view kWanted = "an array";

/// Types made in the database have numbers from here on (FirstNormalObjectId); what their arrays are called nobody says.
constexpr std::uint32_t kFirstMade = 16384;

/// "[2:4]=" before the braces, where the first index is not 1. How many dimensions it names; none when it is malformed.
std::optional<std::size_t> take_bounds(std::string_view& text) {
    const std::size_t end = text.find('=');
    if (text.empty() || text.front() != '[') return 0;
    if (end == std::string_view::npos || text[end - 1] != ']') return std::nullopt;
    const std::string_view bounds = text.substr(0, end);
    if (bounds.find_first_not_of("[]:-+0123456789") != std::string_view::npos) return std::nullopt;
    std::size_t dimensions = 0;
    for (const char c : bounds) dimensions += c == '[' ? 1 : 0;
    text.remove_prefix(end + 1);
    return dimensions;
}

}  // namespace

ArrayReader::ArrayReader(const Cell& array) : array_(array), rest_(array.bytes()), element_(type::element_of(array.type)) {
    if (element_ == 0 && array.type != 0 && array.type < kFirstMade) {
        error_ = type_error(array, kWanted, "array types");
    } else if (array.binary) {
        begin_binary();
    } else {
        begin_text();
    }
}

bool ArrayReader::fail(std::string_view hint) {
    error_ = value_error(array_, kWanted, hint);
    return false;
}

bool ArrayReader::too_many_dimensions() {
    error_ = value_error(array_, "an array of one dimension", "use unnest, or a slice of one dimension");
    return false;
}

void ArrayReader::begin_text() {
    const auto bounds = take_bounds(rest_);
    if (!bounds || rest_.size() < 2 || rest_.front() != '{') {
        fail();
    } else if (*bounds > 1) {
        too_many_dimensions();
    } else {
        rest_.remove_prefix(1);
    }
}

/// array_send's form: dimensions, whether there are NULLs, the elements' type, then for each dimension its length and first index.
void ArrayReader::begin_binary() {
    BytesReader reader(rest_);
    const auto dimensions = reader.next<std::int32_t>();
    const auto nulls = reader.next<std::int32_t>();
    const auto element = reader.next<std::uint32_t>();
    if (!element || *dimensions < 0 || *nulls < 0 || *nulls > 1 || (element_ != 0 && *element != element_)) {
        fail();
        return;
    }
    if (*dimensions > 1) {
        too_many_dimensions();
        return;
    }
    element_ = *element;
    if (*dimensions == 1) {
        const auto length = reader.next<std::int32_t>();
        const auto first = reader.next<std::int32_t>();
        if (!first || *length < 0) {
            fail();
            return;
        }
        left_ = static_cast<std::size_t>(*length);
    }
    rest_ = reader.rest();
}

bool ArrayReader::next(Cell& element) {
    if (error_) return false;
    element = array_;
    element.type = element_;
    element.element = ++seen_;
    return array_.binary ? next_binary(element) : next_text(element);
}

bool ArrayReader::next_binary(Cell& element) {
    if (left_ == 0) return rest_.empty() ? false : fail();
    --left_;
    BytesReader reader(rest_);
    const auto size = reader.next<std::int32_t>();
    if (!size || *size < -1) return fail();
    element.data = nullptr;
    element.size = 0;
    if (*size >= 0) {
        const auto bytes = reader.next(static_cast<std::size_t>(*size));
        if (!bytes) return fail();
        element.data = bytes->data();
        element.size = bytes->size();
    }
    rest_ = reader.rest();
    return true;
}

bool ArrayReader::next_text(Cell& element) {
    if (rest_ == "}" && seen_ == 1) rest_ = {};
    if (rest_.empty()) return false;
    if (rest_.front() == '{') return too_many_dimensions();
    if (rest_.front() == '"') return quoted(element);
    const std::size_t end = rest_.find_first_of(",}");
    const std::string_view word = rest_.substr(0, end);
    if (end == std::string_view::npos || word.empty() || word.find_first_of("\"\\{") != std::string_view::npos) return fail();
    const bool null = word == "NULL";
    element.data = null ? nullptr : word.data();
    element.size = null ? 0 : word.size();
    rest_.remove_prefix(end);
    return finish_element();
}

bool ArrayReader::quoted(Cell& element) {
    unescaped_.clear();
    std::size_t at = 1;
    for (; at < rest_.size() && rest_[at] != '"'; ++at) {
        if (rest_[at] == '\\') ++at;
        if (at < rest_.size()) unescaped_ += rest_[at];
    }
    if (at >= rest_.size()) return fail();
    rest_.remove_prefix(at + 1);
    element.data = unescaped_.data();
    element.size = unescaped_.size();
    return finish_element();
}

/// After an element comes a comma and another one, or the end of everything.
bool ArrayReader::finish_element() {
    if (rest_ == "}") {
        rest_ = {};
        return true;
    }
    if (rest_.size() < 2 || rest_.front() != ',') return fail();
    rest_.remove_prefix(1);
    return true;
}

}  // namespace howdah::inline v0::codec
