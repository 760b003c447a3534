-- name: loyalty_balance
-- area: marketing
-- weight: 15
-- kind: read
-- param 1: loyalty_accounts.user_id
SELECT a.points, t.name, t.perks FROM loyalty_accounts a JOIN loyalty_tiers t ON t.id = a.tier_id WHERE a.user_id = $1;
