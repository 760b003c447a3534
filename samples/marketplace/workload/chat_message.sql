-- name: chat_message
-- area: support
-- weight: 10
-- kind: write
-- param 1: chat_conversations.id
-- param 2: text
INSERT INTO chat_messages (conversation_id, sender, body) VALUES ($1, 'customer', $2);
