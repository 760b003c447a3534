-- name: vote_review
-- area: catalog
-- weight: 5
-- kind: write
-- param 1: reviews.id
-- param 2: users.id
INSERT INTO review_votes (review_id, user_id, helpful) VALUES ($1, $2, true) ON CONFLICT DO NOTHING;
