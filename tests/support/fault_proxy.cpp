#include "support/fault_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "support/fault_proxy_link.hpp"

namespace howdah::tests {

namespace {

using std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

int listen_anywhere(int& port) {
    const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (handle < 0 || ::bind(handle, generic, size) != 0 || ::listen(handle, 512) != 0 || ::getsockname(handle, generic, &size) != 0)
        fail("a port for the proxy");
    port = ntohs(address.sin_port);
    return handle;
}

/// -1 where nobody listens.
int reach(const std::string& path) {
    const int handle = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (handle >= 0 && ::connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return handle;
    if (handle >= 0) ::close(handle);
    return -1;
}

}  // namespace

std::uint64_t FaultProxy::Counts::all_cuts() const { return std::accumulate(cuts.begin(), cuts.end(), cut_anywhere); }
std::uint64_t FaultProxy::Counts::all_terminations() const {
    return std::accumulate(terminations.begin(), terminations.end(), std::uint64_t{0});
}

class FaultProxy::Loop {
public:
    explicit Loop(Options options) : options_(std::move(options)) {
        orders_.random.seed(options_.seed);
        listener_ = listen_anywhere(port_);
        bell_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (bell_ < 0) fail("eventfd");
        thread_ = std::thread([this] { run(); });
    }
    ~Loop() {
        call([this] { ending_ = true; });
        thread_.join();
        links_.clear();
        ::close(listener_);
        ::close(bell_);
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// On the loop's thread; returns when it is done.
    void call(std::function<void()> order) {
        std::packaged_task<void()> task(std::move(order));
        auto done = task.get_future();
        {
            const std::scoped_lock lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        const std::uint64_t one = 1;
        static_cast<void>(!::write(bell_, &one, sizeof one));
        done.get();
    }
    int port() const { return port_; }
    ProxyOrders& orders() { return orders_; }
    void each_link(const std::function<void(ProxyLink&)>& deed) {
        for (auto& link : links_) deed(*link);
    }

private:
    void run() {
        while (!ending_) {
            watch();
            ::poll(watched_.data(), watched_.size(), patience());
            take_orders();
            if (!orders_.stalled) move();
            std::erase_if(links_, [](const auto& link) { return link->over(); });
            if ((watched_[1].revents & POLLIN) != 0) welcome();
        }
    }

    void watch() {
        watched_ = {{bell_, POLLIN, 0}, {listener_, POLLIN, 0}};
        if (orders_.stalled) return;
        const auto now = steady_clock::now();
        for (auto& link : links_) {
            for (const Way way : {Way::to_server, Way::to_client}) {
                const ProxyFlow& in = link->flow(way);
                const ProxyFlow& out = link->flow(way == Way::to_server ? Way::to_client : Way::to_server);
                short events = in.ended ? 0 : POLLIN;
                if (!out.pieces.empty() && out.pieces.front().due <= now) events |= POLLOUT;
                watched_.push_back({events != 0 ? in.from : -1, events, 0});
            }
        }
    }

    /// Milliseconds until the first delayed piece is due.
    int patience() {
        auto first = steady_clock::time_point::max();
        const auto now = steady_clock::now();
        for (auto& link : links_) {
            for (const Way way : {Way::to_server, Way::to_client}) {
                const auto& pieces = link->flow(way).pieces;
                if (!pieces.empty() && pieces.front().due > now) first = std::min(first, pieces.front().due);
            }
        }
        if (orders_.stalled || first == steady_clock::time_point::max()) return -1;
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(first - now).count());
    }

    void take_orders() {
        std::uint64_t rung = 0;
        static_cast<void>(!::read(bell_, &rung, sizeof rung));
        std::vector<std::packaged_task<void()>> tasks;
        {
            const std::scoped_lock lock(mutex_);
            tasks.swap(tasks_);
        }
        for (auto& task : tasks) task();
    }

    void move() {
        const auto now = steady_clock::now();
        // Two entries a link, after the bell and the listener; links that came since the watch began have none.
        for (std::size_t i = 0; i < links_.size() && 3 + 2 * i < watched_.size(); ++i) {
            ProxyLink& link = *links_[i];
            constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
            if ((watched_[2 + 2 * i].revents & kReadable) != 0) link.read(Way::to_server, now);
            if ((watched_[3 + 2 * i].revents & kReadable) != 0) link.read(Way::to_client, now);
        }
        for (auto& link : links_) {
            for (const Way way : {Way::to_server, Way::to_client}) {
                if (!link->over()) link->write(way, now);
            }
        }
    }

    void welcome() {
        while (true) {
            const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (client < 0) return;
            const int server = orders_.refused ? -1 : reach(options_.server_socket);
            if (server < 0) {
                ::close(client);
                continue;
            }
            const int at_once = 1;
            ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
            links_.push_back(std::make_unique<ProxyLink>(client, server, orders_, options_));
        }
    }

    const Options options_;
    ProxyOrders orders_;
    int port_ = 0;
    int listener_ = -1;
    int bell_ = -1;
    bool ending_ = false;
    std::vector<std::unique_ptr<ProxyLink>> links_;
    std::vector<pollfd> watched_;
    std::mutex mutex_;
    std::vector<std::packaged_task<void()>> tasks_;
    std::thread thread_;
};

FaultProxy::FaultProxy(Options options) : loop_(std::make_unique<Loop>(std::move(options))) {}
FaultProxy::~FaultProxy() = default;

int FaultProxy::port() const noexcept { return loop_->port(); }

void FaultProxy::strike_commits(double share, std::vector<Strike> strikes) {
    loop_->call([&] {
        loop_->orders().strike_share = share;
        loop_->orders().strikes = std::move(strikes);
    });
}

void FaultProxy::cut_anywhere(double share, std::size_t most_bytes) {
    loop_->call([&] {
        loop_->orders().anywhere_share = share;
        loop_->orders().anywhere_bytes = most_bytes;
    });
}

void FaultProxy::delay(std::chrono::milliseconds by) {
    loop_->call([&] { loop_->orders().delay = by; });
}

void FaultProxy::drop() {
    loop_->call([&] {
        loop_->each_link([&](ProxyLink& link) {
            link.cut(true);
            ++loop_->orders().counts.dropped;
        });
    });
}

void FaultProxy::half_open(Way way) {
    loop_->call([&] { loop_->each_link([&](ProxyLink& link) { link.flow(way).swallow = true; }); });
}

void FaultProxy::half_open_but(Way way, std::string_view text) {
    loop_->call([&] {
        loop_->each_link([&](ProxyLink& link) {
            if (link.login().find(text) == std::string::npos) link.flow(way).swallow = true;
        });
    });
}

void FaultProxy::deafen_logins(bool deaf) {
    loop_->call([&] { loop_->orders().deaf_logins = deaf; });
}

void FaultProxy::stall() {
    loop_->call([&] { loop_->orders().stalled = true; });
}
void FaultProxy::resume() {
    loop_->call([&] { loop_->orders().stalled = false; });
}

void FaultProxy::garble(Way way) {
    loop_->call([&] { loop_->each_link([&](ProxyLink& link) { link.garble(way, steady_clock::now()); }); });
}

void FaultProxy::refuse(bool refused) {
    loop_->call([&] { loop_->orders().refused = refused; });
}

void FaultProxy::calm() {
    loop_->call([&] {
        ProxyOrders& orders = loop_->orders();
        orders.strike_share = orders.anywhere_share = 0;
        orders.delay = std::chrono::milliseconds(0);
        orders.stalled = orders.refused = orders.deaf_logins = false;
    });
}

FaultProxy::Counts FaultProxy::counts() const {
    Counts counts;
    loop_->call([&] { counts = loop_->orders().counts; });
    return counts;
}

}  // namespace howdah::tests
