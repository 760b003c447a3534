-- name: read_notification
-- area: support
-- weight: 6
-- kind: write
-- param 1: notifications.id
UPDATE notifications SET read_at = now() WHERE id = $1 AND read_at IS NULL;
