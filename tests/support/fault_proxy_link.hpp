#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <random>
#include <string>

#include "support/fault_proxy.hpp"
#include "support/wire_frames.hpp"

namespace howdah::tests {

using ProxyTime = std::chrono::steady_clock::time_point;

/// What the proxy is told to do, and did. Belongs to its thread.
struct ProxyOrders {
    double strike_share = 0;
    std::vector<Strike> strikes;
    double anywhere_share = 0;
    std::size_t anywhere_bytes = 0;
    std::chrono::milliseconds delay{0};
    bool stalled = false;
    bool refused = false;
    bool deaf_logins = false;
    FaultProxy::Counts counts;
    std::mt19937_64 random;

    bool happens(double share) { return share > 0 && std::uniform_real_distribution<double>(0, 1)(random) < share; }
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random); }
};

/// One direction of one connection.
struct ProxyFlow {
    ProxyFlow(Way direction, int source, int target) : way(direction), from(source), to(target), reader(direction == Way::to_server) {}

    struct Piece {
        ProxyTime due;
        std::string bytes;
    };
    const Way way;
    const int from;
    const int to;
    FrameReader reader;
    std::deque<Piece> pieces;
    bool ended = false;    ///< The source has closed.
    bool swallow = false;  ///< What comes is thrown away.
};

/// One client's connection and the one to the server behind it.
class ProxyLink {
public:
    ProxyLink(int client, int server, ProxyOrders& orders, const FaultProxy::Options& options);
    ~ProxyLink();
    ProxyLink(const ProxyLink&) = delete;
    ProxyLink& operator=(const ProxyLink&) = delete;

    /// Reads what is there and forwards what may be.
    void read(Way way, ProxyTime now);
    void write(Way way, ProxyTime now);
    void garble(Way way, ProxyTime now);
    /// The connection ends now, by RST where `hard`.
    void cut(bool hard);
    bool over() const noexcept { return over_; }
    /// The packet that asks for the login.
    const std::string& login() const noexcept { return login_; }
    ProxyFlow& flow(Way way) noexcept { return way == Way::to_server ? up_ : down_; }

private:
    void forward(ProxyFlow& flow, Frame frame, ProxyTime now);
    void from_client(Frame frame, ProxyTime now);
    void from_server(Frame frame, ProxyTime now);
    void answered(Frame frame, ProxyTime now);
    /// Puts bytes on their way, as many as the connection may still carry.
    void push(ProxyFlow& flow, std::string bytes, ProxyTime now);
    void cut_soon(ProxyFlow& flow);
    bool struck(Deed deed, Place place) const { return strike_ && strike_->deed == deed && strike_->place == place; }
    void count();
    void terminate();

    ProxyOrders& orders_;
    const FaultProxy::Options& options_;
    ProxyFlow up_;
    ProxyFlow down_;
    int backend_ = 0;
    std::string login_;
    std::optional<std::size_t> bytes_left_;
    const FaultProxy::Mark* committing_ = nullptr;
    std::optional<Strike> strike_;
    const ProxyFlow* last_words_ = nullptr;  ///< The connection is cut once this flow is empty.
    bool over_ = false;
};

}  // namespace howdah::tests
