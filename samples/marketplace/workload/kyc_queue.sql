-- name: kyc_queue
-- area: organisations
-- weight: 1
-- kind: read
-- param 1: choice submitted|in_review
SELECT a.id, o.legal_name, a.risk_score, a.submitted_at, count(d.id) AS documents
  FROM kyc_applications a JOIN organisations o ON o.id = a.organisation_id LEFT JOIN kyc_documents d ON d.application_id = a.id
 WHERE a.status = $1::kyc_status GROUP BY a.id, o.legal_name ORDER BY a.submitted_at LIMIT 50;
