#include "support/wire_frames.hpp"

#include <algorithm>

namespace howdah::tests {

namespace {

constexpr unsigned kTls = 80877103;
constexpr unsigned kGss = 80877104;

unsigned number_at(std::string_view bytes, std::size_t place) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[place + i]);
    return value;
}

}  // namespace

unsigned Frame::request() const { return type == 0 && bytes.size() >= 8 ? number_at(bytes, 4) : 0; }

std::string_view Frame::query() const {
    if (type != 'P' && type != 'Q') return {};
    std::string_view text = body();
    // Parse names the statement first.
    if (type == 'P') text.remove_prefix(std::min(text.size(), text.find('\0') + 1));
    return text.substr(0, text.find('\0'));
}

int Frame::backend() const { return type == 'K' && bytes.size() >= 9 ? static_cast<int>(number_at(bytes, 5)) : 0; }

std::optional<Frame> FrameReader::next() {
    const std::size_t header = untyped_ ? 4 : 5;
    if (waiting_.size() < header) return std::nullopt;
    const std::size_t length = number_at(waiting_, header - 4) + (header - 4);
    if (waiting_.size() < length || length < header) return std::nullopt;
    Frame frame{untyped_ ? '\0' : waiting_[0], waiting_.substr(0, length)};
    waiting_.erase(0, length);
    // Only a request for encryption is followed by another packet without a type.
    untyped_ = untyped_ && (frame.request() == kTls || frame.request() == kGss);
    return frame;
}

}  // namespace howdah::tests
