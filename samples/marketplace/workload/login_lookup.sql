-- name: login_lookup
-- area: security
-- weight: 20
-- kind: read
-- param 1: users.tenant_id
-- param 2: users.email
SELECT id, password_hash, status FROM users WHERE tenant_id = $1 AND lower(email) = lower($2) AND deleted_at IS NULL;
