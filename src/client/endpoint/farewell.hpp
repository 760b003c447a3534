#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "client/endpoint/inquiry.hpp"
#include "client/wait.hpp"
#include "howdah/moment.hpp"

namespace howdah::inline v0 {

/// Puts an inquiry to the monitor; null when there is none or it is not well. What is to be terminated, it then notes for later.
using AskMonitor = std::function<std::shared_ptr<Inquiry>(Inquiry::About, const Target&)>;

/// Waits until the server has ended its side of a link that this side has closed. A backend that stays, because nothing reaches it any
/// more, is terminated through the monitor: it would hold locks and its place. Soon when it does nothing but wait for its client, later
/// whatever it does. One whose login was given up too, at once when it is
/// found: nobody knows more of it than its traces, so "not found" counts only after a while, for it may not have come so far yet.
class Farewell {
public:
    /// Takes the descriptor over: a second one of the socket, for the end of the stream; -1 where the link broke.
    Farewell(Target backend, int watched, AskMonitor ask, Moment now);
    ~Farewell();
    Farewell(const Farewell&) = delete;
    Farewell& operator=(const Farewell&) = delete;

    /// Goes on without waiting. What to wait for; none when it is over. `hurried`: the client is being closed, and who closes does not
    /// wait for what only a later session could mind.
    std::optional<Need> advance(Moment now, bool hurried);

private:
    bool over(Moment now, bool hurried);
    bool named_over(Moment now, bool hurried);
    bool nameless_over(Moment now, bool hurried);
    bool give_up();
    bool ended() const;
    Inquiry::About next_question(Moment now) const;
    void look(Moment now, Inquiry::About question);

    const AskMonitor ask_;
    const Target backend_;
    const int watched_;
    const Moment begun_;
    Moment ask_again_;
    bool terminated_ = false;
    bool looked_ = false;  ///< The last answer was that it is there.
    bool seen_ = false;    ///< The server said that it is there.
    bool gone_ = false;    ///< The server said that it is not, or not any more.
    std::shared_ptr<Inquiry> asked_;
};

}  // namespace howdah::inline v0
