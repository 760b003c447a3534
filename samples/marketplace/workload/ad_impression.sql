-- name: ad_impression
-- area: marketing
-- weight: 20
-- kind: write
-- param 1: ads.id
-- param 2: ads.placement
-- param 3: users.id
INSERT INTO ad_impressions (ad_id, placement, user_id, cost, shown_at) VALUES ($1, $2, $3, 0.0150, now());
