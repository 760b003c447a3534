-- name: payout_sum
-- area: vendors
-- weight: 5
-- kind: read
-- param 1: payouts.vendor_id
SELECT status, currency, sum(amount), count(*) FROM payouts WHERE vendor_id = $1 GROUP BY status, currency;
