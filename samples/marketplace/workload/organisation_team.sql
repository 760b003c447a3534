-- name: organisation_team
-- area: organisations
-- weight: 4
-- kind: read
-- param 1: organisation_members.organisation_id
SELECT u.first_name, u.last_name, u.email, r.name AS role FROM organisation_members m
  JOIN users u ON u.id = m.user_id JOIN organisation_roles r ON r.id = m.role_id WHERE m.organisation_id = $1 AND m.left_at IS NULL;
