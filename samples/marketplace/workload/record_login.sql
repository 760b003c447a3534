-- name: record_login
-- area: security
-- weight: 10
-- kind: write
-- param 1: users.id
-- param 2: users.email
-- param 3: users.last_login_ip
INSERT INTO login_attempts (user_id, email, ip, succeeded) VALUES ($1, $2, $3, true);
