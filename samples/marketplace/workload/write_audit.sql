-- name: write_audit
-- area: security
-- weight: 15
-- kind: write
-- param 1: users.tenant_id
-- param 2: users.id
-- param 3: choice update|create|login
-- param 4: choice products|orders|users
-- param 5: integer 1 20000
INSERT INTO audit_logs (tenant_id, actor_user_id, action, entity, entity_id) VALUES ($1, $2, $3, $4, $5);
