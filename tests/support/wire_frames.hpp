#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace howdah::tests {

/// One message of PostgreSQL's protocol 3, header included ("Message Formats" in PostgreSQL's documentation).
struct Frame {
    char type = 0;      ///< 0 for the packets without a type with which a client begins.
    std::string bytes;  ///< The whole message.

    std::string_view body() const { return std::string_view(bytes).substr(type == 0 ? 4 : 5); }
    /// What a packet without a type asks for: 80877103 for TLS, 80877104 for GSSAPI, 80877102 to cancel, 196608 to begin.
    unsigned request() const;
    /// Of Parse and Query; empty for others.
    std::string_view query() const;
    /// Of BackendKeyData; 0 for others.
    int backend() const;
};

/// Cuts one direction of a plain connection into messages.
class FrameReader {
public:
    /// A client's side begins with packets that have no type.
    explicit FrameReader(bool from_client) : untyped_(from_client) {}

    void add(std::string_view bytes) { waiting_.append(bytes); }
    /// The next whole message; none while there is none.
    std::optional<Frame> next();
    /// What came of a message that is not whole yet; given away.
    std::string rest() { return std::exchange(waiting_, {}); }

private:
    bool untyped_;
    std::string waiting_;
};

}  // namespace howdah::tests
