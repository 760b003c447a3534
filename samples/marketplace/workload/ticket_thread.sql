-- name: ticket_thread
-- area: support
-- weight: 8
-- kind: read
-- param 1: tickets.id
SELECT m.body, m.is_internal, m.sent_at, a.display_name FROM ticket_messages m LEFT JOIN support_agents a ON a.id = m.agent_id WHERE m.ticket_id = $1 ORDER BY m.sent_at;
