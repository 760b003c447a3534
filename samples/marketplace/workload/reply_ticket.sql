-- name: reply_ticket
-- area: support
-- weight: 4
-- kind: write
-- param 1: tickets.id
-- param 2: tickets.user_id
-- param 3: text
WITH said AS (INSERT INTO ticket_messages (ticket_id, author_user_id, body) VALUES ($1, $2, $3) RETURNING ticket_id)
UPDATE tickets SET status = 'open' FROM said WHERE tickets.id = said.ticket_id AND status IN ('new', 'waiting');
