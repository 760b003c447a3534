#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::tests {

/// Where around a commit something is done to its connection.
enum class Place : std::uint8_t {
    before_commit,  ///< Nothing of it reaches the server.
    after_commit,   ///< The server was handed all of it, a moment ago.
    before_answer,  ///< The server has answered; nothing of the answer reaches the client.
    inside_answer,  ///< The client gets half of CommandComplete.
    after_answer,   ///< The client gets CommandComplete but no ReadyForQuery.
};
inline constexpr std::size_t kPlaces = 5;

enum class Deed : std::uint8_t { cut, terminate };

/// What may happen to one commit.
struct Strike {
    Deed deed = Deed::cut;
    Place place = Place::before_commit;
};

enum class Way : std::uint8_t { to_server, to_client };

/// A TCP proxy before a PostgreSQL server that knows the protocol's messages and does harm at chosen ones. Clients reach it on 127.0.0.1
/// without TLS; it reaches the server by its socket. One thread with poll(2); all methods may be called from any thread and have taken
/// effect when they return.
class FaultProxy {
public:
    /// A text that a committing statement begins with, and the tag that its CommandComplete begins with.
    struct Mark {
        std::string query;
        std::string tag;
    };
    struct Options {
        std::string server_socket;                      ///< The path of the server's socket, ".s.PGSQL.5432" included.
        std::vector<Mark> marks{{"COMMIT", "COMMIT"}};  ///< What counts as a commit.
        /// Ends the backend with that number; called on the proxy's thread, which waits for it.
        std::function<void(int backend)> terminate;
        std::uint64_t seed = 1;
    };
    struct Counts {
        std::uint64_t links = 0;
        std::uint64_t commits = 0;
        std::array<std::uint64_t, kPlaces> cuts{};
        std::array<std::uint64_t, kPlaces> terminations{};
        std::uint64_t cut_anywhere = 0;
        std::uint64_t dropped = 0;
        std::uint64_t garbled = 0;
        std::uint64_t swallowed = 0;  ///< Bytes.

        std::uint64_t all_cuts() const;
        std::uint64_t all_terminations() const;
    };

    explicit FaultProxy(Options options);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    int port() const noexcept;

    /// From now on this share of the commits is struck, each by one of the strikes, at random.
    void strike_commits(double share, std::vector<Strike> strikes);
    /// This share of the connections that begin from now on is cut after a random number of bytes up to the bound, both ways together.
    void cut_anywhere(double share, std::size_t most_bytes);
    /// Bytes of both ways come this much later.
    void delay(std::chrono::milliseconds by);
    /// Ends all connections, by RST.
    void drop();
    /// Present connections forward nothing any more in this direction, and go on in the other.
    void half_open(Way way);
    /// The same for those whose login packet does not hold the text.
    void half_open_but(Way way, std::string_view text);
    /// Connections that begin from now on forward nothing of the client's but the packet that asks for a login.
    void deafen_logins(bool deaf);
    /// Nothing moves, new connections included, until resume().
    void stall();
    void resume();
    /// Random bytes between two messages of every present connection.
    void garble(Way way);
    /// New connections are closed at once.
    void refuse(bool refused);
    /// No more harm of any kind to what comes; what is half open or cut stays so.
    void calm();

    Counts counts() const;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace howdah::tests
